#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rng.h"

Text text_over(char* buffer, size_t size) {
  buffer[0] = '\0';
  return (Text){buffer, buffer + size};
}

void text_add(Text* text, const char* format, ...) {
  const size_t room = (size_t)(text->end - text->at);
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(text->at, room, format, arguments);
  va_end(arguments);
  if (length < 0) return;
  if ((size_t)length < room) {
    text->at += length;
    return;
  }
  text->at = text->end - 1;
  if (room > 1) text->at[-1] = '~';
}

void text_add_flags(Text* text, long flags, const FlagName* names, size_t count) {
  const char* separator = "";
  for (size_t i = 0; i < count; i++) {
    if ((flags & names[i].bit) == 0) continue;
    text_add(text, "%s%s", separator, names[i].name);
    flags &= ~names[i].bit;
    separator = "|";
  }
  if (flags != 0)
    text_add(text, "%s%#lx", separator, (unsigned long)flags);
  else if (*separator == '\0')
    text_add(text, "0");
}

void text_add_quoted(Text* text, const char* bytes, size_t length) {
  text_add(text, "\"");
  for (size_t i = 0; i < length; i++) {
    const unsigned char byte = (unsigned char)bytes[i];
    if (byte == '\n')
      text_add(text, "\\n");
    else if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
      text_add(text, "\\x%02x", byte);
    else
      text_add(text, "%c", byte);
  }
  text_add(text, "\"");
}

const char* error_name(int error) {
  static const struct {
    int error;
    const char* name;
  } kNames[] = {
      {EPERM, "EPERM"},       {ENOENT, "ENOENT"},       {EINTR, "EINTR"},
      {E2BIG, "E2BIG"},       {EBADF, "EBADF"},         {EAGAIN, "EAGAIN"},
      {ENOMEM, "ENOMEM"},     {EACCES, "EACCES"},       {EFAULT, "EFAULT"},
      {EEXIST, "EEXIST"},     {EINVAL, "EINVAL"},       {EMFILE, "EMFILE"},
      {EFBIG, "EFBIG"},       {ENOSPC, "ENOSPC"},       {ERANGE, "ERANGE"},
      {ENOSYS, "ENOSYS"},     {ENOMSG, "ENOMSG"},       {EIDRM, "EIDRM"},
      {EMSGSIZE, "EMSGSIZE"}, {EBUSY, "EBUSY"},         {ETIMEDOUT, "ETIMEDOUT"},
      {EISDIR, "EISDIR"},     {EOVERFLOW, "EOVERFLOW"}, {ENAMETOOLONG, "ENAMETOOLONG"},
  };
  static char other[24];
  for (size_t i = 0; i < sizeof(kNames) / sizeof(kNames[0]); i++)
    if (kNames[i].error == error) return kNames[i].name;
  snprintf(other, sizeof(other), "errno %d", error);
  return other;
}

uint64_t hash_bytes(const void* bytes, size_t length) {
  const unsigned char* at = bytes;
  uint64_t hash = mix64(length + UINT64_C(0x9e3779b97f4a7c15));
  for (; length >= 8; at += 8, length -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    hash = mix64(hash ^ word);
  }
  uint64_t tail = 0;
  memcpy(&tail, at, length);
  return mix64(hash ^ tail);
}

void fill_bytes(void* bytes, size_t length, uint64_t tag) {
  unsigned char* at = bytes;
  Rng rng = {tag};
  for (; length >= 8; at += 8, length -= 8) {
    const uint64_t word = rng_next(&rng);
    memcpy(at, &word, 8);
  }
  const uint64_t word = rng_next(&rng);
  memcpy(at, &word, length);
}
