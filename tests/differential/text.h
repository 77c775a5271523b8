// Text for the log: a bounded buffer, names for errno values and flags, and the hash of a message.

#ifndef DIFFERENTIAL_TEXT_H
#define DIFFERENTIAL_TEXT_H

#include <stddef.h>
#include <stdint.h>

// A buffer being written. It never overflows: what does not fit is cut, and ends in '~'.
typedef struct Text {
  char* at;
  char* end;
} Text;

typedef struct FlagName {
  long bit;
  const char* name;
} FlagName;

Text text_over(char* buffer, size_t size);
void text_add(Text* text, const char* format, ...) __attribute__((format(printf, 2, 3)));
// "IPC_CREAT|0x40", or "0": the named bits, then the rest in hexadecimal.
void text_add_flags(Text* text, long flags, const FlagName* names, size_t count);
// A string between quotes, unprintable bytes as \xNN.
void text_add_quoted(Text* text, const char* bytes, size_t length);

// "EAGAIN"; a number that has no name here is printed as "errno 123" (in a static buffer).
const char* error_name(int error);

uint64_t hash_bytes(const void* bytes, size_t length);
// The bytes of a message: a tag's own pattern, so that a wrong message shows as a wrong hash.
void fill_bytes(void* bytes, size_t length, uint64_t tag);

#endif
