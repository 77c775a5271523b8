// System V message queues: the operations, shared by the generator (family_msg.c) and the executor
// (family_msg_execute.c).
//
// arg[0] is the id (msgget: the key), then
//   msgget  [1] flags              msgctl    [1] command
//   msgsnd  [1] type [2] size [3] flags
//   msgrcv  [1] type [2] size [3] flags
//   IPC_SET [2] qbytes [3] mode [4] uid [5] gid
//   proc    [0] bytes a read

#ifndef DIFFERENTIAL_FAMILY_MSG_H
#define DIFFERENTIAL_FAMILY_MSG_H

#include "family.h"

typedef enum MsgOp {
  kMsgGet,
  kMsgSnd,
  kMsgRcv,
  kMsgStat,
  kMsgSet,
  kMsgRmid,
  kMsgIpcInfo,
  kMsgMsgInfo,
  kMsgStatIndex,
  kMsgStatAny,
  kMsgOtherCommand,
  kMsgProc,
  kMsgOps,
} MsgOp;

void msg_execute(const Request* request, const Scratch* scratch, Reply* reply);

// Not in every libc's <sys/msg.h>.
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif

#endif
