// Reading and writing the kernel's text files (/proc/sysvipc, /proc/sys) as calls of a sequence.

#ifndef DIFFERENTIAL_PROC_TEXT_H
#define DIFFERENTIAL_PROC_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "shared.h"
#include "text.h"

// Adds one line of a file with its pids and times named. It must print the values that it parsed
// again in the kernel's format and return false if that is not the very same line.
typedef bool (*ProcLine)(Text* text, const char* line);

// Opens, stats and reads the whole file, request->arg[0] bytes a read; request->raw: by stdio.
// The number of reads and bytes is not reported: it varies with the width of the pids.
// The first line (the heading) and every line that add_line refuses are shown as they are.
void proc_text_read(const Request* request, const char* path, ProcLine add_line, Reply* reply,
                    Text* text);

// One write(2) of these bytes, or stdio's; ret is its answer, or open(2)'s.
void proc_text_write(const Request* request, const char* path, const char* bytes, size_t length,
                     Reply* reply);

#endif
