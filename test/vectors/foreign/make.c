/*
 * Bursts of liquid-dsp's flexible OFDM frame (ofdmflexframe), as complex int8. Build and run:
 *   gcc -O2 make.c -o make -lliquid -lm && ./make 64 16 8 > liquid-64.ci8 && ./make 128 9 8 > liquid-128.ci8
 * Arguments: subcarriers, cyclic prefix, taper; the header and payload bytes count up, QPSK, no outer code.
 */
#include <complex.h>
#include <liquid/liquid.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static signed char level(float x) {
  float v = roundf(x * 40.0f);
  return (signed char)(v > 127 ? 127 : v < -128 ? -128 : v);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  unsigned int M = atoi(argv[1]), cp = atoi(argv[2]), taper = atoi(argv[3]);
  ofdmflexframegenprops_s props;
  ofdmflexframegenprops_init_default(&props);
  props.check = LIQUID_CRC_32;
  props.fec0 = LIQUID_FEC_NONE;
  props.fec1 = LIQUID_FEC_NONE;
  props.mod_scheme = LIQUID_MODEM_QPSK;
  ofdmflexframegen gen = ofdmflexframegen_create(M, cp, taper, NULL, &props);
  unsigned char header[8], payload[400];
  for (int i = 0; i < 8; i++) header[i] = i;
  for (int i = 0; i < 400; i++) payload[i] = i & 255;
  float complex *buffer = malloc(M * sizeof(*buffer));
  for (int frame = 0; frame < 2; frame++) {
    ofdmflexframegen_assemble(gen, header, payload, sizeof payload);
    int last = 0;
    while (!last) {
      last = ofdmflexframegen_write(gen, buffer, M);
      for (unsigned int i = 0; i < M; i++) {
        signed char out[2] = {level(crealf(buffer[i])), level(cimagf(buffer[i]))};
        fwrite(out, 1, 2, stdout);
      }
    }
  }
  free(buffer);
  ofdmflexframegen_destroy(gen);
  return 0;
}
