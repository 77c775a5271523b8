// The log of a run: lines of text, buffered, written when the buffer is full and at the end.
// Not stdio: a forked worker that exits must not write the driver's buffer a second time.

#ifndef DIFFERENTIAL_LOG_H
#define DIFFERENTIAL_LOG_H

#include <stdbool.h>

bool log_open(const char* path);
// Appends a line (the newline is added).
void log_line(const char* format, ...) __attribute__((format(printf, 1, 2)));
void log_text(const char* line);
bool log_close(void);
// In a worker: closes the descriptor without writing.
void log_abandon(void);

#endif
