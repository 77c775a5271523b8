// struct stat, struct statfs and their like of /dev/mqueue and of queues: the kernel tells of the
// folder and the pipes that play them (queue_path.h), this puts right what differs.
#pragma once

#include "interpose/views.h"

namespace ipcell {

// Puts right what tells of a queue's pipe, or of the folder. Costs two comparisons if it tells of
// any other file.
void show_queue_status(Stat* buffer);
void show_queue_status(Stat64* buffer);
void show_queue_status(Statx* buffer);
#if defined(__i386__)
void show_queue_status(StatTime64* buffer);
#endif

// Glibc's struct statfs and its like; as Stat.
struct Statfs;
struct Statfs64;
struct Statvfs;
struct Statvfs64;

// Makes what tells of another filesystem tell of mqueue.
void show_queue_filesystem(Statfs* buffer);
void show_queue_filesystem(Statfs64* buffer);
void show_queue_filesystem(Statvfs* buffer);
void show_queue_filesystem(Statvfs64* buffer);
// Makes it tell that programs have no room there.
void show_no_room(Statfs* buffer);
void show_no_room(Statfs64* buffer);
void show_no_room(Statvfs* buffer);
void show_no_room(Statvfs64* buffer);

}  // namespace ipcell
