/*
 * Speed of srsRAN_4G's int8 layered LDPC decoder (AVX2) in CPU time of one core. From the source tree of srsRAN_4G (S):
 *
 *   cc -O3 -march=native -DHAVE_AVX2 -DLV_HAVE_AVX2 -DLV_HAVE_SSE -I$S/lib/include srsran-ldpc.c \
 *      $S/lib/src/phy/fec/ldpc/{base_graph,ldpc_decoder,ldpc_dec_f,ldpc_dec_s,ldpc_dec_c,ldpc_dec_c_flood}.c \
 *      $S/lib/src/phy/fec/ldpc/ldpc_dec_c_avx2{,long,_flood,long_flood}.c $S/lib/src/phy/fec/crc.c \
 *      $S/lib/src/phy/utils/{vector,vector_simd,bit}.c -o srsran-ldpc -lm
 *   srsran-ldpc ITERATIONS BASE_GRAPH:Z:CODE_RATE...
 *
 * The all-zero codeword in noise as at its waterfall, cut to K / CODE_RATE bits; int8 LLRs in, bits out, all iterations done.
 * Of each code some 20 ms of codewords a pass, 8 passes, the first to warm up. One JSON object on standard output: megabits of
 * information a second in the best pass, by argument.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "srsran/phy/fec/ldpc/ldpc_decoder.h"

#define PASSES 8

/* What the library's own logger would bring in. */
bool is_handler_registered(void) { return false; }
void srsran_phy_log_print(int level, const char *format, ...) { (void)level, (void)format; }

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double normal(void) {
  const double u = (rand() + 1.0) / (RAND_MAX + 2.0), v = (rand() + 1.0) / (RAND_MAX + 2.0);
  return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* Megabits of information a second, negative when the decoder refuses. */
static double rate_mbps(int graph, int z, double code_rate, unsigned int iterations) {
  const srsran_ldpc_decoder_args_t args = {SRSRAN_LDPC_DECODER_C_AVX2, graph == 1 ? BG1 : BG2, (uint16_t)z, 0.75f, iterations};
  srsran_ldpc_decoder_t decoder;
  if (srsran_ldpc_decoder_init(&decoder, &args) != 0) return -1;
  const int k = decoder.liftK, n = decoder.liftN - 2 * z;
  int sent = (int)lround(k / code_rate);
  if (sent > n) sent = n;
  int8_t *llrs = calloc((size_t)n + 64, 1);
  uint8_t *message = calloc((size_t)k + 64, 1);
  for (int i = 0; i < sent; i++) {
    const double llr = floor(2 * (3 + 2.4 * normal()) + 0.5);
    llrs[i] = (int8_t)(llr > 63 ? 63 : llr < -63 ? -63 : llr);
  }
  double best = 0;
  int words = 4;
  for (int pass = 0; pass < PASSES; pass++) {
    double start = cpu_seconds();
    for (int i = 0; i < words; i++) {
      if (srsran_ldpc_decoder_decode_c(&decoder, llrs, message, (uint32_t)sent) < 0) return -1;
    }
    double used = cpu_seconds() - start;
    double mbps = 1e-6 * (double)k * words / used;
    if (pass > 0 && mbps > best) best = mbps;
    if (pass == 0) words = (int)ceil(words * 0.02 / used);
  }
  srsran_ldpc_decoder_free(&decoder);
  free(llrs), free(message);
  return best;
}

int main(int argc, char **argv) {
  const int iterations = argc > 2 ? atoi(argv[1]) : 0;
  if (iterations < 1 || iterations > 100) {
    fprintf(stderr, "usage: srsran-ldpc ITERATIONS BASE_GRAPH:Z:CODE_RATE...\n");
    return 2;
  }
  printf("{");
  for (int i = 2; i < argc; i++) {
    int graph, z;
    double code_rate;
    if (sscanf(argv[i], "%d:%d:%lf", &graph, &z, &code_rate) != 3 || graph < 1 || graph > 2 || code_rate < 0.1) return 2;
    printf("%s\"%s\":%.4f", i > 2 ? "," : "", argv[i], rate_mbps(graph, z, code_rate, (unsigned int)iterations));
  }
  printf("}\n");
  return 0;
}
