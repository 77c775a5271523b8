// What the driver knows of queues and of the workers' descriptors, by the answers so far. It serves
// to draw calls that meet, so that it may err; but for a descriptor that does not block.

#include <fcntl.h>
#include <mqueue.h>
#include <string.h>

#include "family_mq.h"
#include "place.h"

// Of the last so many.
enum { kQueues = 256, kFiles = 1024, kMaxPassed = 8 };

static MqWorker workers[kMaxWorkers + 1];
static int known[kPlaces][kMqNames];  // the queue of that name; 0: none
static int* linked(void) { return known[place_now]; }
static int sizes[kQueues];
static int homes[kQueues];  // the namespace that it was made in
static int queue_count;
static bool nonblocking[kFiles];
static int file_count;
static MqHeld passed[kMaxPassed];
static int passed_count;

const MqWorker* mq_worker(int worker) { return &workers[worker]; }

const MqHeld* mq_find_fd(int worker, int fd) {
  const MqWorker* own = &workers[worker];
  for (int i = 0; i < own->count; i++)
    if (own->held[i].fd == fd) return &own->held[i];
  return NULL;
}

const MqHeld* mq_find_queue(int worker, int queue, int access) {
  const MqWorker* own = &workers[worker];
  for (int i = 0; i < own->count; i++)
    if (own->held[i].queue == queue &&
        (own->held[i].access == access || own->held[i].access == O_RDWR))
      return &own->held[i];
  return NULL;
}

bool mq_is_nonblocking(int file) { return nonblocking[file % kFiles]; }

int mq_message_size(int queue) { return sizes[queue % kQueues]; }

int mq_home(int queue) { return homes[queue % kQueues]; }

int mq_name_of(int queue) {
  for (int i = 0; i < kMqNames; i++)
    if (queue != 0 && linked()[i] == queue) return i;
  return -1;
}

bool mq_is_linked(int name) { return linked()[name] != 0; }

int mq_passed(void) { return passed_count; }

static void drop(int worker, int fd) {
  MqWorker* own = &workers[worker];
  for (int i = 0; i < own->count; i++) {
    if (own->held[i].fd != fd) continue;
    own->held[i] = own->held[--own->count];
    return;
  }
}

static void hold(int worker, MqHeld held) {
  MqWorker* own = &workers[worker];
  drop(worker, held.fd);
  if (own->count < kMqMaxHeld) own->held[own->count++] = held;
}

static void learn_open(const Request* request, const Reply* reply) {
  const int name = (int)request->arg[0];
  const int flags = (int)request->arg[1];
  if (linked()[name] == 0) {
    linked()[name] = ++queue_count;
    homes[queue_count % kQueues] = place_now;
    sizes[queue_count % kQueues] = request->pointer == kPointerNull ? 8192 : (int)request->arg[4];
  }
  if (request->arg[5] != 0) return;
  file_count++;
  nonblocking[file_count % kFiles] = (flags & O_NONBLOCK) != 0;
  hold(request->worker, (MqHeld){.fd = (int)reply->ret,
                                 .queue = linked()[name],
                                 .file = file_count,
                                 .access = flags & O_ACCMODE,
                                 .closes = true});
}

static void learn_dup(const Request* request, const Reply* reply) {
  const MqHeld* from = mq_find_fd(request->worker, (int)request->arg[0]);
  if (from == NULL || from->fd == (int)reply->ret) return;
  MqHeld copy = *from;
  copy.fd = (int)reply->ret;
  copy.closes = request->arg[1] == kMqDupFdCloexec ||
                (request->arg[1] == kMqDup3 && (request->arg[3] & O_CLOEXEC) != 0);
  hold(request->worker, copy);
}

static void learn_flags(const Request* request, const Reply* reply) {
  const MqHeld* held = mq_find_fd(request->worker, (int)request->arg[0]);
  if (held == NULL) return;
  const bool is_good = request->pointer == kPointerGood && reply->ret == 0;
  nonblocking[held->file % kFiles] = is_good && (request->arg[1] & O_NONBLOCK) != 0;
}

static void learn_descriptor_flags(const Request* request) {
  MqWorker* own = &workers[request->worker];
  for (int i = 0; i < own->count; i++)
    if (own->held[i].fd == request->arg[0]) own->held[i].closes = request->arg[1] & FD_CLOEXEC;
}

static void learn_accepted(const Request* request, const Reply* reply) {
  if (passed_count == 0) return;
  MqHeld held = passed[0];
  memmove(passed, passed + 1, (size_t)--passed_count * sizeof(passed[0]));
  held.fd = (int)reply->ret;
  held.closes = request->raw;
  hold(request->worker, held);
}

static void learn_passed(const Request* request) {
  const MqHeld* held = mq_find_fd(request->worker, (int)request->arg[0]);
  const MqHeld other = {.queue = 0};
  if (passed_count < kMaxPassed) passed[passed_count++] = held == NULL ? other : *held;
}

void mq_learn(const Request* request, const Reply* reply) {
  // It may have done a part.
  if (request->op == kMqSetAttr || request->op == kMqSetFl) learn_flags(request, reply);
  if (reply->ret < 0) return;
  if (request->op == kMqOpen) learn_open(request, reply);
  if (request->op == kMqUnlink) linked()[request->arg[0]] = 0;
  if (request->arg[5] != 0) return;
  switch (request->op) {
    case kMqClose: drop(request->worker, (int)request->arg[0]); break;
    case kMqDup: learn_dup(request, reply); break;
    case kMqSetFd: learn_descriptor_flags(request); break;
    case kMqPass: learn_passed(request); break;
    case kMqAccept: learn_accepted(request, reply); break;
    default: break;
  }
}

void mq_forget_place(void) { memset(linked(), 0, sizeof(known[0])); }

void mq_forget(int worker) { workers[worker].count = 0; }

void mq_exec(int worker) {
  MqWorker* own = &workers[worker];
  for (int i = own->count; i-- > 0;)
    if (own->held[i].closes) drop(worker, own->held[i].fd);
}
