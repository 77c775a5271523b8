// A POSIX message queue for a row: without a name, so that it ends with its descriptors.
#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

#include "objects.h"

namespace ipcell::bench {

// A name that no other program uses.
inline constexpr char kMqueueName[] = "ipcell-bench-queue";

struct MqueueShape {
  long max_messages = 10;
  long max_size = 8192;
};

template <class Api>
class Mqueue : public Object {
 public:
  explicit Mqueue(MqueueShape shape = {})
      : Object([&] { return make(shape); }, [](int id) -> long { return ::close(id); }) {}

 private:
  static long make(const MqueueShape& shape) {
    mq_attr attributes = {};
    attributes.mq_maxmsg = shape.max_messages;
    attributes.mq_msgsize = shape.max_size;
    const long fd =
        check(Api::mq_open(kMqueueName, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes), "mq_open");
    check(Api::mq_unlink(kMqueueName), "mq_unlink");
    return fd;
  }
};

}  // namespace ipcell::bench
