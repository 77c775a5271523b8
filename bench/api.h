// The two sides of a comparison, with one signature: >= 0 or -errno.
//
// Kernel issues the system call itself; Cell calls libc's function through the PLT, where
// libipcell.so takes over.
#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include "kernel_call.h"

namespace ipcell::bench {

// The fourth argument of semctl(2), which no header declares.
union Semun {
  int val;
  semid_ds* buf;
  unsigned short* array;
};

struct Kernel {
  static long msgget(key_t key, int flags) { return kernel_call(SYS_msgget, key, flags); }
  static long msgsnd(int id, const void* message, std::size_t size, int flags) {
    return kernel_call(SYS_msgsnd, id, kernel_arg(message), static_cast<long>(size), flags);
  }
  static long msgrcv(int id, void* message, std::size_t size, long type, int flags) {
    return kernel_call(SYS_msgrcv, id, kernel_arg(message), static_cast<long>(size), type, flags);
  }
  static long msgctl(int id, int command, msqid_ds* ds) {
    return kernel_call(SYS_msgctl, id, command, kernel_arg(ds));
  }
  // Names without the slash.
  static long mq_open(const char* name, int flags, mode_t mode, mq_attr* attributes) {
    return kernel_call(SYS_mq_open, kernel_arg(name), flags, static_cast<long>(mode),
                       kernel_arg(attributes));
  }
  static long mq_unlink(const char* name) { return kernel_call(SYS_mq_unlink, kernel_arg(name)); }
  static long mq_send(int queue, const char* text, std::size_t size, unsigned priority) {
    return kernel_call(SYS_mq_timedsend, queue, kernel_arg(text), static_cast<long>(size), priority,
                       0);
  }
  static long mq_receive(int queue, char* text, std::size_t size) {
    return kernel_call(SYS_mq_timedreceive, queue, kernel_arg(text), static_cast<long>(size), 0, 0);
  }
  static long mq_getattr(int queue, mq_attr* attributes) {
    return kernel_call(SYS_mq_getsetattr, queue, 0, kernel_arg(attributes));
  }
  static long semget(key_t key, int nsems, int flags) {
    return kernel_call(SYS_semget, key, nsems, flags);
  }
  static long semop(int id, sembuf* operations, std::size_t count) {
    return kernel_call(SYS_semop, id, kernel_arg(operations), static_cast<long>(count));
  }
  static long semctl(int id, int number, int command, Semun argument) {
    return kernel_call(SYS_semctl, id, number, command, kernel_arg(argument.buf));
  }
  static long shmget(key_t key, std::size_t size, int flags) {
    return kernel_call(SYS_shmget, key, static_cast<long>(size), flags);
  }
  // The address or -errno.
  static long shmat(int id, const void* address, int flags) {
    return kernel_call(SYS_shmat, id, kernel_arg(address), flags);
  }
  static long shmdt(const void* address) { return kernel_call(SYS_shmdt, kernel_arg(address)); }
  static long shmctl(int id, int command, shmid_ds* ds) {
    return kernel_call(SYS_shmctl, id, command, kernel_arg(ds));
  }
};

struct Cell {
  static long msgget(key_t key, int flags) { return or_errno(::msgget(key, flags)); }
  static long msgsnd(int id, const void* message, std::size_t size, int flags) {
    return or_errno(::msgsnd(id, message, size, flags));
  }
  static long msgrcv(int id, void* message, std::size_t size, long type, int flags) {
    return or_errno(::msgrcv(id, message, size, type, flags));
  }
  static long msgctl(int id, int command, msqid_ds* ds) {
    return or_errno(::msgctl(id, command, ds));
  }
  static long mq_open(const char* name, int flags, mode_t mode, mq_attr* attributes) {
    return or_errno(::mq_open(("/" + std::string(name)).c_str(), flags, mode, attributes));
  }
  static long mq_unlink(const char* name) {
    return or_errno(::mq_unlink(("/" + std::string(name)).c_str()));
  }
  static long mq_send(int queue, const char* text, std::size_t size, unsigned priority) {
    return or_errno(::mq_send(queue, text, size, priority));
  }
  static long mq_receive(int queue, char* text, std::size_t size) {
    return or_errno(::mq_receive(queue, text, size, nullptr));
  }
  static long mq_getattr(int queue, mq_attr* attributes) {
    return or_errno(::mq_getattr(queue, attributes));
  }
  static long semget(key_t key, int nsems, int flags) {
    return or_errno(::semget(key, nsems, flags));
  }
  static long semop(int id, sembuf* operations, std::size_t count) {
    return or_errno(::semop(id, operations, count));
  }
  static long semctl(int id, int number, int command, Semun argument) {
    return or_errno(::semctl(id, number, command, argument));
  }
  static long shmget(key_t key, std::size_t size, int flags) {
    return or_errno(::shmget(key, size, flags));
  }
  static long shmat(int id, const void* address, int flags) {
    return or_errno(reinterpret_cast<long>(::shmat(id, address, flags)));
  }
  static long shmdt(const void* address) { return or_errno(::shmdt(address)); }
  static long shmctl(int id, int command, shmid_ds* ds) {
    return or_errno(::shmctl(id, command, ds));
  }

 private:
  static long or_errno(long result) { return result == -1 ? -errno : result; }
};

// Passes on a result >= 0; throws for -errno.
inline long check(long result, const char* call) {
  if (result < 0) throw std::system_error(static_cast<int>(-result), std::generic_category(), call);
  return result;
}

}  // namespace ipcell::bench
