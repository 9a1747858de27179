/*
 * Speed of FFTW's complex single-precision transform, forward, out of place, FFTW_MEASURE, in CPU time of one core.
 *
 *   cc -O3 -march=native fftw.c -o fftw -lfftw3f
 *   fftw SIZE...
 *
 * Of each size some 20 ms of transforms a pass, 8 passes, the first to warm up. One JSON object on standard output: the
 * nanoseconds of one transform in the best pass, by size.
 */
#include <fftw3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PASSES 8

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double transform_ns(int size) {
  fftwf_complex *in = fftwf_malloc((size_t)size * sizeof *in), *out = fftwf_malloc((size_t)size * sizeof *out);
  fftwf_plan plan = fftwf_plan_dft_1d(size, in, out, FFTW_FORWARD, FFTW_MEASURE);
  for (int i = 0; i < size; i++) {
    in[i][0] = (float)rand() / (float)RAND_MAX - 0.5f;
    in[i][1] = (float)rand() / (float)RAND_MAX - 0.5f;
  }
  const int repeats = 40000000 / (size * 10);
  double best = 1e9;
  for (int pass = 0; pass < PASSES; pass++) {
    double start = cpu_seconds();
    for (int i = 0; i < repeats; i++) fftwf_execute(plan);
    double ns = 1e9 * (cpu_seconds() - start) / repeats;
    if (pass > 0 && ns < best) best = ns;
  }
  fftwf_destroy_plan(plan);
  fftwf_free(in), fftwf_free(out);
  return best;
}

int main(int argc, char **argv) {
  printf("{\"version\":\"%s\",\"ns\":{", fftwf_version);
  for (int i = 1; i < argc; i++) {
    const int size = atoi(argv[i]);
    if (size < 2 || size > 65536) {
      fprintf(stderr, "fftw: size out of range\n");
      return 2;
    }
    printf("%s\"%d\":%.2f", i > 1 ? "," : "", size, transform_ns(size));
  }
  printf("}}\n");
  return 0;
}
