// A semaphore set for a row.
#pragma once

#include <vector>

#include "objects.h"

namespace ipcell::bench {

template <class Api>
class SemSet : public Object {
 public:
  // All `nsems` semaphores get `value`.
  SemSet(int nsems, unsigned short value, key_t key = IPC_PRIVATE)
      : Object(
            [=] { return check(Api::semget(key, nsems, IPC_CREAT | IPC_EXCL | 0600), "semget"); },
            &remove_id) {
    std::vector<unsigned short> values(static_cast<std::size_t>(nsems), value);
    Semun argument;
    argument.array = values.data();
    check(Api::semctl(id(), 0, SETALL, argument), "semctl(SETALL)");
  }

  static key_t unused_key() {
    return bench::unused_key([](key_t key) { return Api::semget(key, 0, 0); });
  }

 private:
  static long remove_id(int id) { return Api::semctl(id, 0, IPC_RMID, {}); }
};

inline sembuf one_operation(int number, int amount, int flags = 0) {
  return {static_cast<unsigned short>(number), static_cast<short>(amount),
          static_cast<short>(flags)};
}

// semop(2) with one operation.
template <class Api>
long add(int id, int number, int amount, int flags = 0) {
  sembuf operation = one_operation(number, amount, flags);
  return Api::semop(id, &operation, 1);
}

}  // namespace ipcell::bench
