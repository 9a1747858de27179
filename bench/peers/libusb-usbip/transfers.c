/* Transfers over USB/IP; what this library is for stands in devices.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "device.h"

enum { SUBMIT = 1, UNLINK, RET_SUBMIT, RET_UNLINK };
enum { DIRECTION_IN = 0x200 };

struct libusb_device *opened;
int wake = -1;

int receive(int fd, void *into, size_t bytes) {
  for (char *at = into; bytes > 0;) {
    ssize_t n = recv(fd, at, bytes, MSG_WAITALL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    at += n, bytes -= (size_t)n;
  }
  return 0;
}

int send_all(int fd, struct iovec *parts, int count) {
  while (count > 0) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    for (; count > 0 && (size_t)n >= parts->iov_len; parts++, count--) n -= (ssize_t)parts->iov_len;
    if (count > 0) parts->iov_base = (char *)parts->iov_base + n, parts->iov_len -= (size_t)n;
  }
  return 0;
}

uint32_t word(const uint8_t *bytes, size_t at) {
  uint32_t value;
  memcpy(&value, bytes + at, 4);
  return ntohl(value);
}

static int post(struct libusb_device *dev, uint32_t command, uint32_t sequence, int is_in, uint32_t endpoint, uint32_t word5,
                uint32_t length, const uint8_t *setup, void *data, size_t data_bytes) {
  uint32_t header[12] = {htonl(command),  htonl(sequence), htonl(dev->id), htonl((uint32_t)is_in),
                         htonl(endpoint), htonl(word5),    htonl(length)};
  if (setup) memcpy(header + 10, setup, LIBUSB_CONTROL_SETUP_SIZE);
  struct iovec parts[] = {{header, sizeof header}, {data, data_bytes}};
  pthread_mutex_lock(&dev->sending);
  int failed = send_all(dev->fd, parts, data_bytes ? 2 : 1);
  pthread_mutex_unlock(&dev->sending);
  return failed ? LIBUSB_ERROR_NO_DEVICE : 0;
}

static enum libusb_transfer_status status_of(int error) {
  if (error == 0 || error == -EREMOTEIO) return LIBUSB_TRANSFER_COMPLETED;
  if (error == -EPIPE) return LIBUSB_TRANSFER_STALL;
  if (error == -ECONNRESET) return LIBUSB_TRANSFER_CANCELLED;
  return error == -ENODEV ? LIBUSB_TRANSFER_NO_DEVICE : LIBUSB_TRANSFER_ERROR;
}

/* Takes the transfer of a message out of the table; null where there is none. */
static struct libusb_transfer *taken(struct libusb_device *dev, uint32_t sequence, int is_unlink) {
  struct libusb_transfer *transfer = NULL;
  pthread_mutex_lock(&dev->lock);
  for (struct pending *p = dev->pending; p < dev->pending + MOST_PENDING && !transfer; p++) {
    if (!p->transfer || (is_unlink ? p->unlink : p->sequence) != sequence) continue;
    transfer = p->transfer;
    p->transfer = NULL;
  }
  pthread_mutex_unlock(&dev->lock);
  return transfer;
}

static void finish(struct libusb_transfer *transfer, enum libusb_transfer_status status, int length) {
  transfer->status = status;
  transfer->actual_length = length;
  if (transfer->callback) transfer->callback(transfer);
}

/* One message, and the end of its transfer; -1: the connection is over. */
static int take_message(struct libusb_device *dev) {
  uint8_t header[48];
  if (receive(dev->fd, header, sizeof header)) return -1;
  uint32_t command = word(header, 0), sequence = word(header, 4), length = word(header, 24);
  int error = (int)word(header, 20);
  if (command == RET_UNLINK) {
    /* 0: the transfer had ended before, and its own message has come. */
    struct libusb_transfer *transfer = error ? taken(dev, sequence, 1) : NULL;
    if (transfer) finish(transfer, status_of(error), 0);
    return 0;
  }
  struct libusb_transfer *transfer = command == RET_SUBMIT ? taken(dev, sequence, 0) : NULL;
  if (!transfer) return -1;
  int is_control = transfer->type == LIBUSB_TRANSFER_TYPE_CONTROL;
  uint8_t *into = transfer->buffer + (is_control ? LIBUSB_CONTROL_SETUP_SIZE : 0);
  int is_in = (is_control ? transfer->buffer[0] : transfer->endpoint) & LIBUSB_ENDPOINT_IN;
  int room = transfer->length - (is_control ? LIBUSB_CONTROL_SETUP_SIZE : 0);
  if (length > (uint32_t)room || (is_in && receive(dev->fd, into, length))) {
    finish(transfer, LIBUSB_TRANSFER_NO_DEVICE, 0);
    return -1;
  }
  finish(transfer, status_of(error), (int)length);
  return 0;
}

static void end_all(struct libusb_device *dev) {
  for (int i = 0; i < MOST_PENDING; i++) {
    pthread_mutex_lock(&dev->lock);
    struct libusb_transfer *transfer = dev->pending[i].transfer;
    dev->pending[i].transfer = NULL;
    dev->gone = 1;
    pthread_mutex_unlock(&dev->lock);
    if (transfer) finish(transfer, LIBUSB_TRANSFER_NO_DEVICE, 0);
  }
}

/* Waits up to ms for one message, or while another thread does so. */
static void step(struct libusb_device *dev, int ms) {
  pthread_mutex_lock(&dev->lock);
  if (dev->reading) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000, until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) until.tv_sec++, until.tv_nsec -= 1000000000L;
    pthread_cond_timedwait(&dev->changed, &dev->lock, &until);
    pthread_mutex_unlock(&dev->lock);
    return;
  }
  dev->reading = 1;
  int fd = dev->gone ? -1 : dev->fd;
  pthread_mutex_unlock(&dev->lock);
  struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = wake, .events = POLLIN}};
  if (poll(fds, 2, ms) > 0) {
    uint64_t count;
    if (fds[1].revents && read(wake, &count, sizeof count) < 0) count = 0;
    if (fds[0].revents && take_message(dev)) end_all(dev);
  }
  pthread_mutex_lock(&dev->lock);
  dev->reading = 0;
  pthread_cond_broadcast(&dev->changed);
  pthread_mutex_unlock(&dev->lock);
}

struct libusb_transfer *libusb_alloc_transfer(int iso_packets) {
  (void)iso_packets;
  return calloc(1, sizeof(struct libusb_transfer));
}

void libusb_free_transfer(struct libusb_transfer *transfer) {
  if (transfer && (transfer->flags & LIBUSB_TRANSFER_FREE_BUFFER)) free(transfer->buffer);
  free(transfer);
}

int libusb_submit_transfer(struct libusb_transfer *transfer) {
  struct libusb_device *dev = DEVICE(transfer->dev_handle);
  pthread_mutex_lock(&dev->lock);
  struct pending *entry = dev->pending;
  while (entry < dev->pending + MOST_PENDING && entry->transfer) entry++;
  int problem = dev->gone ? LIBUSB_ERROR_NO_DEVICE : entry == dev->pending + MOST_PENDING ? LIBUSB_ERROR_NO_MEM : 0;
  uint32_t sequence = ++dev->sequence;
  if (!problem) *entry = (struct pending){transfer, sequence, 0};
  pthread_mutex_unlock(&dev->lock);
  if (problem) return problem;
  int is_control = transfer->type == LIBUSB_TRANSFER_TYPE_CONTROL;
  int is_in = ((is_control ? transfer->buffer[0] : transfer->endpoint) & LIBUSB_ENDPOINT_IN) != 0;
  int skip = is_control ? LIBUSB_CONTROL_SETUP_SIZE : 0, bytes = transfer->length - skip;
  int failed = post(dev, SUBMIT, sequence, is_in, transfer->endpoint & 15, is_in ? DIRECTION_IN : 0, (uint32_t)bytes,
                    is_control ? transfer->buffer : NULL, transfer->buffer + skip, is_in ? 0 : (size_t)bytes);
  if (failed) taken(dev, sequence, 0);
  return failed;
}

int libusb_cancel_transfer(struct libusb_transfer *transfer) {
  struct libusb_device *dev = DEVICE(transfer->dev_handle);
  uint32_t sequence = 0, unlink = 0;
  pthread_mutex_lock(&dev->lock);
  for (struct pending *p = dev->pending; p < dev->pending + MOST_PENDING; p++) {
    if (p->transfer == transfer && !p->unlink) sequence = p->sequence, unlink = p->unlink = ++dev->sequence;
  }
  pthread_mutex_unlock(&dev->lock);
  if (!unlink) return LIBUSB_ERROR_NOT_FOUND;
  return post(dev, UNLINK, unlink, 0, 0, sequence, 0, NULL, NULL, 0);
}

static void note(struct libusb_transfer *transfer) {
  __atomic_store_n((int *)transfer->user_data, 1, __ATOMIC_RELEASE);
}

/* A transfer to its end: bytes done, or an error. */
static int complete(struct libusb_device *dev, struct libusb_transfer *transfer, unsigned int timeout_ms) {
  int done = 0, cancelled = 0;
  struct timespec start, now;
  transfer->dev_handle = (libusb_device_handle *)dev;
  transfer->callback = note;
  transfer->user_data = &done;
  int problem = libusb_submit_transfer(transfer);
  if (problem) return problem;
  clock_gettime(CLOCK_MONOTONIC, &start);
  while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
    step(dev, 10);
    clock_gettime(CLOCK_MONOTONIC, &now);
    long passed_ms = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
    if (timeout_ms && passed_ms > (long)timeout_ms && !cancelled) cancelled = 1, libusb_cancel_transfer(transfer);
  }
  switch (transfer->status) {
    case LIBUSB_TRANSFER_COMPLETED: return transfer->actual_length;
    case LIBUSB_TRANSFER_STALL: return LIBUSB_ERROR_PIPE;
    case LIBUSB_TRANSFER_CANCELLED: return LIBUSB_ERROR_TIMEOUT;
    case LIBUSB_TRANSFER_NO_DEVICE: return LIBUSB_ERROR_NO_DEVICE;
    default: return LIBUSB_ERROR_IO;
  }
}

int libusb_control_transfer(libusb_device_handle *handle, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                            unsigned char *data, uint16_t length, unsigned int timeout_ms) {
  uint8_t *buffer = malloc(LIBUSB_CONTROL_SETUP_SIZE + length);
  struct libusb_transfer transfer = {.type = LIBUSB_TRANSFER_TYPE_CONTROL, .buffer = buffer};
  if (!buffer) return LIBUSB_ERROR_NO_MEM;
  transfer.length = LIBUSB_CONTROL_SETUP_SIZE + length;
  libusb_fill_control_setup(buffer, type, request, value, index, length);
  if (!(type & LIBUSB_ENDPOINT_IN) && length) memcpy(buffer + LIBUSB_CONTROL_SETUP_SIZE, data, length);
  int result = complete(DEVICE(handle), &transfer, timeout_ms);
  if ((type & LIBUSB_ENDPOINT_IN) && result > 0) memcpy(data, buffer + LIBUSB_CONTROL_SETUP_SIZE, (size_t)result);
  free(buffer);
  return result;
}

int libusb_bulk_transfer(libusb_device_handle *handle, unsigned char endpoint, unsigned char *data, int length, int *done,
                         unsigned int timeout_ms) {
  struct libusb_transfer transfer = {.type = LIBUSB_TRANSFER_TYPE_BULK, .endpoint = endpoint, .buffer = data, .length = length};
  int result = complete(DEVICE(handle), &transfer, timeout_ms);
  if (done) *done = result < 0 ? 0 : result;
  return result < 0 ? result : 0;
}

int libusb_handle_events_timeout(libusb_context *context, struct timeval *timeout) {
  (void)context;
  int ms = (int)(timeout->tv_sec * 1000 + timeout->tv_usec / 1000);
  if (opened) step(opened, ms);
  else poll(&(struct pollfd){.fd = wake, .events = POLLIN}, 1, ms);
  return 0;
}

void libusb_interrupt_event_handler(libusb_context *context) {
  (void)context;
  eventfd_write(wake, 1);
}
