// A message queue for a row.
#pragma once

#include "objects.h"

namespace ipcell::bench {

template <class Api>
class Queue : public Object {
 public:
  explicit Queue(key_t key = IPC_PRIVATE)
      : Object([key] { return check(Api::msgget(key, IPC_CREAT | IPC_EXCL | 0600), "msgget"); },
               &remove_id) {}

  static key_t unused_key() {
    return bench::unused_key([](key_t key) { return Api::msgget(key, 0); });
  }

 private:
  static long remove_id(int id) { return Api::msgctl(id, IPC_RMID, nullptr); }
};

}  // namespace ipcell::bench
