// System V shared memory: the operations, shared by the generator (family_shm.c) and by the
// executor (family_shm_execute.c).
//
// Attachments lie in an arena, the same range of addresses in every worker, where they meet, cover
// and cut each other; those that the kernel places are kept in a few "floating" places of the
// worker's process. arg[0] is the id (shmget: the key), then
//   shmget              [1] size [2] flags
//   shmat               [1] page of the arena, or kFloating + place [2] flags [3] bytes off the
//   page shmdt               [1] as shmat [3] the same load, store         [1] as shmat [2] the
//   byte to store [3] offset munmap, mmap, ...   [1] page of the arena [2] pages [3] mprotect:
//   rights, mremap: target page
//                       [4] mremap: pages afterwards
//   fork                [1] [3] as shmdt: what the child detaches [2] how it ends (kForkEnds)
//   IPC_SET             [2] command [3] mode [4] uid [5] gid
//   other commands      [2] command
//   proc                [0] bytes a read

#ifndef DIFFERENTIAL_FAMILY_SHM_H
#define DIFFERENTIAL_FAMILY_SHM_H

#include "family.h"

typedef enum ShmOp {
  kShmGet,
  kShmAt,
  kShmDt,
  kShmLoad,
  kShmStore,
  kShmMunmap,
  kShmMmapOver,
  kShmMprotect,
  kShmMremap,
  kShmFork,
  kShmStat,
  kShmSet,
  kShmRmid,
  kShmLock,
  kShmUnlock,
  kShmIpcInfo,
  kShmShmInfo,
  kShmStatIndex,
  kShmStatAny,
  kShmOtherCommand,
  kShmProc,
  kShmOps,
} ShmOp;

// A page is 4096 bytes to the generator, whatever it is to the machine.
enum { kArenaPages = 24, kFloating = 1000, kFloatingPlaces = 3, kShmPage = 4096 };
enum { kForkExits, kForkIsKilled, kForkStores, kForkEnds };

void shm_execute(const Request* request, const Scratch* scratch, Reply* reply);

#endif
