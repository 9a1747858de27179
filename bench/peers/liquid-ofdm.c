/*
 * Speed of liquid-dsp's ofdmflexframe generator and synchroniser, in CPU time of one core.
 *
 *   cc -O3 -march=native liquid-ofdm.c -o liquid-ofdm -lliquid -lm
 *   liquid-ofdm FFT CP SUBBANDS BURST_SAMPLES BURSTS SNR_DB CFO_RAD_PER_SAMPLE
 *
 * Occupied carriers: 12 x SUBBANDS around an empty DC, one pilot in 12 (the sixth). QPSK, no error correction, CRC-32 on
 * the payload. The payload is chosen so that a burst comes nearest to BURST_SAMPLES. BURSTS bursts with gaps of 4
 * symbols, white noise at SNR_DB per occupied carrier, and a frequency offset. One JSON object on standard output; rates in
 * megasamples a second. A first pass of each part only warms up.
 */
#include <complex.h>
#include <liquid/liquid.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_BYTES 65000u
#define PASSES 7

static unsigned int good, headers;

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int on_frame(unsigned char *header, int header_valid, unsigned char *payload, unsigned int length,
                    int payload_valid, framesyncstats_s stats, void *context) {
  (void)header, (void)payload, (void)length, (void)stats, (void)context;
  headers += header_valid != 0;
  good += payload_valid != 0;
  return 0;
}

/* Samples of a burst with so many payload bytes, counted: the generator adds a last symbol to its own figure. */
static unsigned int burst_samples(ofdmflexframegen gen, unsigned char *payload, unsigned int bytes, unsigned int symbol) {
  unsigned char header[8] = {0};
  float complex out[8192 + 8192];
  unsigned int n = 0;
  ofdmflexframegen_reset(gen);
  ofdmflexframegen_assemble(gen, header, payload, bytes);
  for (int last = 0; !last; n += symbol) last = ofdmflexframegen_write(gen, out, symbol);
  return n;
}

static size_t generate(ofdmflexframegen gen, unsigned char *payload, unsigned int bytes, unsigned int bursts,
                       unsigned int symbol, unsigned int gap, float complex *out) {
  unsigned char header[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  size_t n = 0;
  for (unsigned int b = 0; b < bursts; b++) {
    memset(out + n, 0, gap * sizeof *out);
    n += gap;
    ofdmflexframegen_assemble(gen, header, payload, bytes);
    for (int last = 0; !last; n += symbol) last = ofdmflexframegen_write(gen, out + n, symbol);
  }
  memset(out + n, 0, gap * sizeof *out);
  return n + gap;
}

/* Best of the passes after the first, megasamples a second. */
static double receive(ofdmflexframesync sync, float complex *samples, size_t n) {
  double best = 0;
  for (int pass = 0; pass <= PASSES; pass++) {
    good = headers = 0;
    double start = cpu_seconds();
    ofdmflexframesync_reset(sync);
    for (size_t at = 0; at < n; at += 8192)
      ofdmflexframesync_execute(sync, samples + at, (unsigned int)(n - at < 8192 ? n - at : 8192));
    double rate = (double)n / (cpu_seconds() - start) / 1e6;
    if (pass > 0 && rate > best) best = rate;
  }
  return best;
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: liquid-ofdm FFT CP SUBBANDS BURST_SAMPLES BURSTS SNR_DB CFO_RAD_PER_SAMPLE\n");
    return 2;
  }
  const unsigned int fft = (unsigned int)atoi(argv[1]), cp = (unsigned int)atoi(argv[2]);
  const unsigned int subbands = (unsigned int)atoi(argv[3]), wanted = (unsigned int)atoi(argv[4]);
  const unsigned int bursts = (unsigned int)atoi(argv[5]);
  const double snr_db = atof(argv[6]), cfo = atof(argv[7]);
  const unsigned int carriers = 12 * subbands, symbol = fft + cp, gap = 4 * symbol;
  if (fft < 16 || fft > 8192 || cp >= fft || carriers + 2 > fft || bursts < 1 || bursts > 10000) {
    fprintf(stderr, "liquid-ofdm: sizes out of range\n");
    return 2;
  }
  unsigned char *type = calloc(fft, 1), *payload = malloc(MOST_BYTES);
  if (!type || !payload) return 1;
  for (unsigned int i = 0; i < carriers; i++) {
    /* Carrier i counts from the lowest frequency; bins count from DC. */
    unsigned int bin = i < carriers / 2 ? fft - carriers / 2 + i : i - carriers / 2 + 1;
    type[bin] = i % 12 == 5 ? OFDMFRAME_SCTYPE_PILOT : OFDMFRAME_SCTYPE_DATA;
  }
  srand(1);
  for (unsigned int i = 0; i < MOST_BYTES; i++) payload[i] = (unsigned char)rand();

  ofdmflexframegenprops_s props;
  ofdmflexframegenprops_init_default(&props);
  props.check = LIQUID_CRC_32;
  props.fec0 = LIQUID_FEC_NONE;
  props.fec1 = LIQUID_FEC_NONE;
  props.mod_scheme = LIQUID_MODEM_QPSK;
  ofdmflexframegen gen = ofdmflexframegen_create(fft, cp, 0, type, &props);
  ofdmflexframesync sync = ofdmflexframesync_create(fft, cp, 0, type, on_frame, NULL);

  unsigned int low = 1, high = MOST_BYTES;
  while (low < high) {
    unsigned int middle = (low + high + 1) / 2;
    if (burst_samples(gen, payload, middle, symbol) <= wanted) low = middle;
    else high = middle - 1;
  }
  const unsigned int length = burst_samples(gen, payload, low, symbol);

  const size_t n = (size_t)bursts * (length + gap) + gap;
  float complex *sent = malloc(n * sizeof *sent), *air = malloc(n * sizeof *air);
  if (!sent || !air) return 1;
  double generated = 0;
  for (int pass = 0; pass <= PASSES; pass++) {
    double start = cpu_seconds();
    size_t made = generate(gen, payload, low, bursts, symbol, gap, sent);
    double rate = (double)made / (cpu_seconds() - start) / 1e6;
    if (made != n) return 1;
    if (pass > 0 && rate > generated) generated = rate;
  }
  double power = 0;
  for (size_t i = 0; i < n; i++) power += crealf(sent[i] * conjf(sent[i]));
  power /= (double)bursts * length;
  /* Noise per sample that leaves snr_db on the occupied carriers, and the offset. */
  const double sigma = sqrt(power * fft / carriers * pow(10, -snr_db / 10) / 2);
  for (size_t i = 0; i < n; i++)
    air[i] = sent[i] * cexpf(_Complex_I * (float)fmod(cfo * (double)i, 2 * M_PI)) +
             (float)sigma * (randnf() + _Complex_I * randnf());
  const double received = receive(sync, air, n);
  const unsigned int found = headers, right = good;
  for (size_t i = 0; i < n; i++) air[i] = (float)sigma * (randnf() + _Complex_I * randnf());
  const double idle = receive(sync, air, n);
  printf("{\"version\":\"%s\",\"generate\":%.3f,\"receive\":%.3f,\"idle\":%.3f,\"burstSamples\":%u,\"payloadBytes\":%u,"
         "\"bursts\":%u,\"headers\":%u,\"right\":%u}\n",
         liquid_libversion(), generated, received, idle, length, low, bursts, found, right);
  ofdmflexframesync_destroy(sync);
  ofdmflexframegen_destroy(gen);
  free(type), free(payload), free(sent), free(air);
  return 0;
}
