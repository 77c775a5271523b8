/*
 * MSG_INFO: msgpool is the number of queues, msgmap of messages, msgtql of bytes, in the namespace.
 * Both info commands return the highest index in use, 0 when there is none.
 */
#include "msg_check.h"

static void check_info(int highest, int queues, int messages, int bytes) {
  struct msginfo info;
  memset(&info, 0xa5, sizeof info);
  CHECK_EQ(msgctl(0, MSG_INFO, (struct msqid_ds*)&info), highest);
  CHECK_EQ(info.msgpool, queues);
  CHECK_EQ(info.msgmap, messages);
  CHECK_EQ(info.msgtql, bytes);
  CHECK_EQ(info.msgmax, DEFAULT_MSGMAX);
  CHECK_EQ(info.msgmnb, DEFAULT_MSGMNB);
  CHECK_EQ(info.msgmni, DEFAULT_MSGMNI);
  CHECK_EQ(info.msgssz, 16);
  CHECK_EQ(info.msgseg, 65535);
  CHECK_EQ(msgctl(0, IPC_INFO, (struct msqid_ds*)&info), highest);
}

int main(void) {
  check_info(0, 0, 0, 0);
  CHECK_EQ(new_queue(), 0);
  check_info(0, 1, 0, 0);
  for (int i = 1; i < 5; i++) CHECK_EQ(new_queue(), i);
  CHECK_SEND(1, 1, "abc");
  CHECK_SEND(3, 1, "de");
  CHECK_SEND(3, 1, "");
  CHECK_SEND(3, 1, "f");
  check_info(4, 5, 4, 6);

  /* A truncated message leaves as a whole. */
  struct message message;
  CHECK_EQ(msgrcv(1, &message, 1, 0, MSG_NOERROR), 1);
  check_info(4, 5, 3, 3);

  /* A message handed to a sleeper is never counted. */
  pid_t sleeper = FORK_RECEIVER(2, 0, 0, 1, "handed");
  CHECK_SEND(2, 1, "handed");
  CHECK_CHILD(sleeper);
  check_info(4, 5, 3, 3);

  /* The highest index falls to the next that is in use; a removed queue takes its messages along.
   */
  REMOVE_QUEUE(2);
  check_info(4, 4, 3, 3);
  REMOVE_QUEUE(4);
  check_info(3, 3, 3, 3);
  REMOVE_QUEUE(3);
  check_info(1, 2, 0, 0);
  REMOVE_QUEUE(0);
  check_info(1, 1, 0, 0);
  CHECK_EQ(new_queue(), 5);
  check_info(5, 2, 0, 0);
  REMOVE_QUEUE(5);
  check_info(1, 1, 0, 0);
  REMOVE_QUEUE(1);
  check_info(0, 0, 0, 0);
  CHECK_ERRNO(msgctl(-1, MSG_INFO, (struct msqid_ds*)&message), EINVAL);
  CHECK_ERRNO(msgctl(0, MSG_INFO, NULL), EFAULT);
}
