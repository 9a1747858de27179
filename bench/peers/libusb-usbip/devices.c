/*
 * What libhackrf needs of libusb-1.0, over a USB/IP server on a local socket in place of the kernel: Debian's hackrf_transfer and
 * the rest of its package then run against `sct emulate hackrf --usbip ./b.sock` on a machine whose kernel has no vhci.
 *
 *   cc -O2 -shared -fPIC -pthread -Wl,-soname,libusb-1.0.so.0 -I LIBUSB *.c -o libusb-1.0.so.0
 *   USBIP_SOCKET=./b.sock LD_LIBRARY_PATH=. hackrf_transfer -r FILE -f 868300000 -s 20000000 -n 20000000
 *
 * LIBUSB is the folder of libusb.h (node_modules/usb/libusb/libusb). Messages: Linux, Documentation/usb/usbip_protocol.rst, version
 * 1.1.1, big endian. Data go from the socket straight into the transfer's buffer. A device is imported when it is listed, as its
 * descriptor comes by a transfer, and one is open at a time. For measurements: the server is trusted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "device.h"

enum { VERSION = 0x0111, LIST = 0x8005, IMPORT = 0x8003 };
enum { RECORD_BYTES = 312, MOST_DEVICES = 16 };

/* Asks a fresh connection for `operation`; the connection after a good answer, or -1. */
static int ask(uint16_t operation, const char *bus_id) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  const char *path = getenv("USBIP_SOCKET");
  if (!path || strlen(path) >= sizeof at.sun_path) return -1;
  strcpy(at.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  uint16_t request[4] = {htons(VERSION), htons(operation)}, reply[4];
  struct iovec parts[] = {{request, sizeof request}, {(void *)bus_id, bus_id ? BUS_ID_BYTES : 0}};
  if (fd < 0) return -1;
  if (!connect(fd, (void *)&at, sizeof at) && !send_all(fd, parts, bus_id ? 2 : 1) && !receive(fd, reply, sizeof reply) &&
      reply[1] == htons(operation & 0x7fff) && !reply[2] && !reply[3])
    return fd;
  close(fd);
  return -1;
}

static void unref(struct libusb_device *dev) {
  if (--dev->references > 0) return;
  close(dev->fd);
  free(dev);
}

static int descriptor_of(struct libusb_device *dev, int type, int index, int language, unsigned char *data, int bytes) {
  return libusb_control_transfer((libusb_device_handle *)dev, LIBUSB_ENDPOINT_IN, LIBUSB_REQUEST_GET_DESCRIPTOR,
                                 (uint16_t)(type << 8 | index), (uint16_t)language, data, (uint16_t)bytes, 1000);
}

/* Null where the device is in use. */
static struct libusb_device *import(const uint8_t *record) {
  struct libusb_device *dev = calloc(1, sizeof *dev);
  uint8_t again[RECORD_BYTES], bytes[LIBUSB_DT_DEVICE_SIZE] = {0};
  if (!dev) return NULL;
  memcpy(dev->bus_id, record + 256, BUS_ID_BYTES - 1);
  dev->fd = ask(IMPORT, dev->bus_id);
  dev->references = 1;
  dev->id = word(record, 288) << 16 | word(record, 292);
  dev->interfaces = record[311];
  pthread_mutex_init(&dev->lock, NULL);
  pthread_mutex_init(&dev->sending, NULL);
  pthread_cond_init(&dev->changed, NULL);
  if (dev->fd >= 0 && !receive(dev->fd, again, sizeof again) &&
      descriptor_of(dev, LIBUSB_DT_DEVICE, 0, 0, bytes, sizeof bytes) == sizeof bytes) {
    /* Bytes in the order of the structure, which has no gaps; numbers are little endian. */
    memcpy(&dev->descriptor, bytes, sizeof bytes);
    return dev;
  }
  if (dev->fd >= 0) close(dev->fd);
  free(dev);
  return NULL;
}

ssize_t libusb_get_device_list(libusb_context *context, libusb_device ***list) {
  (void)context;
  uint8_t records[MOST_DEVICES][RECORD_BYTES], skipped[4 * 255];
  uint32_t count = 0, n = 0;
  int fd = ask(LIST, NULL);
  if (fd >= 0 && receive(fd, &count, sizeof count)) count = 0;
  for (count = ntohl(count); n < count && n < MOST_DEVICES; n++) {
    if (receive(fd, records[n], RECORD_BYTES) || receive(fd, skipped, 4u * records[n][311])) break;
  }
  if (fd >= 0) close(fd);
  *list = calloc(n + 1, sizeof **list);
  if (!*list) return LIBUSB_ERROR_NO_MEM;
  ssize_t listed = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (((*list)[listed] = import(records[i]))) listed++;
  }
  return listed;
}

void libusb_free_device_list(libusb_device **list, int unref_devices) {
  for (libusb_device **at = list; unref_devices && *at; at++) unref(*at);
  free(list);
}

int libusb_get_device_descriptor(libusb_device *dev, struct libusb_device_descriptor *descriptor) {
  *descriptor = dev->descriptor;
  return 0;
}

int libusb_get_active_config_descriptor(libusb_device *dev, struct libusb_config_descriptor **config) {
  *config = calloc(1, sizeof **config);
  if (!*config) return LIBUSB_ERROR_NO_MEM;
  (*config)->bNumInterfaces = dev->interfaces;
  return 0;
}

void libusb_free_config_descriptor(struct libusb_config_descriptor *config) { free(config); }

int libusb_open(libusb_device *dev, libusb_device_handle **handle) {
  if (opened) return LIBUSB_ERROR_BUSY;
  opened = dev;
  dev->references++;
  *handle = (libusb_device_handle *)dev;
  return 0;
}

libusb_device_handle *libusb_open_device_with_vid_pid(libusb_context *context, uint16_t vendor, uint16_t product) {
  libusb_device **list, **at;
  libusb_device_handle *handle = NULL;
  if (libusb_get_device_list(context, &list) < 0) return NULL;
  for (at = list; *at && !handle; at++) {
    if ((*at)->descriptor.idVendor == vendor && (*at)->descriptor.idProduct == product) libusb_open(*at, &handle);
  }
  libusb_free_device_list(list, 1);
  return handle;
}

void libusb_close(libusb_device_handle *handle) {
  opened = NULL;
  unref(DEVICE(handle));
}

libusb_device *libusb_get_device(libusb_device_handle *handle) { return DEVICE(handle); }

int libusb_get_configuration(libusb_device_handle *handle, int *configuration) {
  uint8_t value = 0;
  int done = libusb_control_transfer(handle, LIBUSB_ENDPOINT_IN, LIBUSB_REQUEST_GET_CONFIGURATION, 0, 0, &value, 1, 1000);
  *configuration = value;
  return done < 0 ? done : 0;
}

int libusb_set_configuration(libusb_device_handle *handle, int configuration) {
  return libusb_control_transfer(handle, 0, LIBUSB_REQUEST_SET_CONFIGURATION, (uint16_t)configuration, 0, NULL, 0, 1000);
}

int libusb_get_string_descriptor_ascii(libusb_device_handle *handle, uint8_t index, unsigned char *text, int room) {
  uint8_t bytes[255];
  int length = descriptor_of(DEVICE(handle), LIBUSB_DT_STRING, index, 0x0409, bytes, sizeof bytes), n = 0;
  if (length < 2) return length < 0 ? length : LIBUSB_ERROR_IO;
  for (int at = 2; at + 1 < length && n + 1 < room; at += 2) text[n++] = bytes[at + 1] || bytes[at] > 127 ? '?' : bytes[at];
  text[n] = 0;
  return n;
}

/* --- What the kernel would do, or nothing --- */

int libusb_claim_interface(libusb_device_handle *handle, int number) { return (void)handle, (void)number, 0; }
int libusb_release_interface(libusb_device_handle *handle, int number) { return (void)handle, (void)number, 0; }
int libusb_kernel_driver_active(libusb_device_handle *handle, int number) { return (void)handle, (void)number, 0; }
int libusb_detach_kernel_driver(libusb_device_handle *handle, int number) { return (void)handle, (void)number, 0; }

int libusb_init(libusb_context **context) {
  if (wake < 0) wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (context) *context = (libusb_context *)&wake;
  return wake < 0 ? LIBUSB_ERROR_OTHER : 0;
}

void libusb_exit(libusb_context *context) { (void)context; }

const char *libusb_strerror(int code) { return code ? "USB/IP transfer failed" : "success"; }
