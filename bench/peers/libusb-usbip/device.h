/* What transfers.c and devices.c share: a device, and its connection. See devices.c. */
#pragma once

#include <libusb.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { BUS_ID_BYTES = 32, MOST_PENDING = 256 };

struct pending {
  struct libusb_transfer *transfer; /* null: free */
  uint32_t sequence, unlink;
};

/* A device and its handle are the same; it lives while somebody counts on it. */
struct libusb_device {
  int fd, references, reading, gone;
  uint32_t id, sequence;
  uint8_t interfaces;
  char bus_id[BUS_ID_BYTES];
  struct libusb_device_descriptor descriptor;
  struct pending pending[MOST_PENDING];
  /* `lock` guards what is here, `sending` the order of messages; `changed` says that somebody has read. */
  pthread_mutex_t lock, sending;
  pthread_cond_t changed;
};

#define DEVICE(handle) ((struct libusb_device *)(handle))

/* Not seen by whoever loads the library. */
#pragma GCC visibility push(hidden)
/* The device that is open, and what wakes its reader: an eventfd. */
extern struct libusb_device *opened;
extern int wake;
int receive(int fd, void *into, size_t bytes);
int send_all(int fd, struct iovec *parts, int count);
uint32_t word(const uint8_t *bytes, size_t at);
#pragma GCC visibility pop
