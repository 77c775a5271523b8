// POSIX message queues: the operations, shared by the generator (family_mq.c), what it knows of the
// workers' descriptors (family_mq_model.c) and the executors (family_mq_execute.c,
// family_mq_watch.c).
//
// arg[0] is the descriptor (open, unlink: the index of the name), then
//   open    [1] flags [2] mode [3] mq_maxmsg [4] mq_msgsize; pointer: of the attributes
//   close   [1] MqCloseWay        dup     [1] MqDupWay [2] target [3] flags of dup3(2)
//   F_SETFD, F_SETFL [1] flags    fchmod  [1] mode
//   send    [1] size [2] priority [3] MqDeadline; pointer: of the text
//   receive [1] size [2] pointer of the priority [3] MqDeadline; pointer: of the text
//   setattr [1] flags [2] 1: gives the old ones; pointer: of the new ones
//   notify  [1] MqNotifyWay [2] signal [3] value
//   poll, select  [1] timeout in ms [2] how many; list: descriptor, bits of poll(2), descriptor,
//   ... epoll_ctl     [1] command [2] events           epoll_wait [1] timeout in ms line    [1]
//   bytes [2] offset; -1: read(2) after lseek(2) to 0 limit   [1] the soft RLIMIT_MSGQUEUE
// arg[5] 1: a child of the worker makes the call, and ends. `raw` is, where there is no number to
// call by, the other function that does the same.

#ifndef DIFFERENTIAL_FAMILY_MQ_H
#define DIFFERENTIAL_FAMILY_MQ_H

#include <signal.h>

#include "family.h"

typedef enum MqOp {
  kMqOpen,
  kMqUnlink,
  kMqClose,
  kMqDup,
  kMqSetFd,
  kMqFlags,
  kMqStat,
  kMqSetFl,
  kMqSend,
  kMqReceive,
  kMqGetAttr,
  kMqSetAttr,
  kMqNotify,
  kMqTake,
  kMqPoll,
  kMqSelect,
  kMqEpollCtl,
  kMqEpollWait,
  kMqLine,
  kMqPass,
  kMqAccept,
  kMqLimit,
  kMqChmod,
  kMqOps,
} MqOp;

typedef enum MqCloseWay { kMqCloseMq, kMqCloseFile, kMqCloseRange, kMqCloseWays } MqCloseWay;
typedef enum MqDupWay {
  kMqDupPlain,
  kMqDup2,
  kMqDup3,
  kMqDupFd,
  kMqDupFdCloexec,
  kMqDupWays
} MqDupWay;
typedef enum MqNotifyWay {
  kMqNotifyNone,
  kMqNotifySignal,
  kMqNotifyRemove,
  kMqNotifyWrong
} MqNotifyWay;
typedef enum MqDeadline {
  kMqNoDeadline,
  kMqPast,
  kMqFar,
  kMqSoon,  // 1.5 ms; the call is waited for, so that nothing else happens meanwhile
  kMqZero,
  kMqNanosecondsTooMany,
  kMqNanosecondsNegative,
  kMqSecondsNegative,
  kMqDeadlineUnmapped,
  kMqDeadlines,
} MqDeadline;

// Where a worker has what is not drawn: the sockets that descriptors are passed over, its epoll
// instance. Far from the numbers that new descriptors get.
enum { kMqSocketOut = 200, kMqSocketIn = 201, kMqEpoll = 202, kMqBodySize = 20000 };

enum { kMqGoodNames = 5, kMqNullName = 13, kMqUnmappedName = 14, kMqNames = 15 };
extern const char* const kMqName[kMqNames];

// The notifications that are taken by sigtimedwait(2), and blocked otherwise.
#define MQ_TAKEN_SIGNALS                                                                           \
  { SIGRTMIN + 1, SIGRTMIN + 2, SIGRTMAX, SIGHUP, SIGWINCH }

void mq_execute(const Request* request, const Scratch* scratch, Reply* reply);
void mq_prepare(void);
void mq_begin(void);
void mq_execute_poll(const Request* request, Reply* reply, Text* text);
void mq_execute_select(const Request* request, Reply* reply, Text* text);
void mq_execute_epoll_ctl(const Request* request, Reply* reply);
void mq_execute_epoll_wait(const Request* request, Reply* reply, Text* text);

// ---- What the driver knows of descriptors

typedef struct MqHeld {
  int fd;
  int queue;  // the how manieth queue that was made
  int file;   // the how manieth open file
  int access;
  bool closes;  // by exec
} MqHeld;

enum { kMqMaxHeld = 16 };

typedef struct MqWorker {
  MqHeld held[kMqMaxHeld];
  int count;
} MqWorker;

const MqWorker* mq_worker(int worker);
const MqHeld* mq_find_fd(int worker, int fd);
// A descriptor of the worker's that is open on this queue for this (O_RDONLY, O_WRONLY).
const MqHeld* mq_find_queue(int worker, int queue, int access);
// Surely.
bool mq_is_nonblocking(int file);
int mq_message_size(int queue);
// The place that it was made in.
int mq_home(int queue);
// Index of the name that leads to the queue, -1 if there is none; and the other way round.
int mq_name_of(int queue);
bool mq_is_linked(int name);
int mq_passed(void);
void mq_learn(const Request* request, const Reply* reply);
void mq_forget(int worker);
void mq_exec(int worker);
void mq_forget_place(void);

#endif
