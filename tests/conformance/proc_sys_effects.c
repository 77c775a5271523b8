/*
 * A limit holds in all processes as soon as it is written, also below what there is already; who is
 * not root may read it, but not write to a descriptor that root gave him.
 */
#include "msg_check.h"
#include "sysctl_check.h"
#include <sys/sem.h>
#include <sys/shm.h>

static void put(const char* path, const char* text) {
  int fd = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));
  CHECK_EQ(WRITE(fd, text), (long)strlen(text));
  close(fd);
}

static void check_lowered(void) {
  int ids[3];
  for (int i = 0; i < 3; i++) ids[i] = new_queue();
  put("/proc/sys/kernel/msgmni", "2");
  CHECK_ERRNO(msgget(IPC_PRIVATE, 0600), ENOSPC);
  struct msqid_ds queue;
  CHECK_OK(msgctl(ids[2], IPC_STAT, &queue));
  /* A queue keeps what it was made with. */
  put(MSGMNB_FILE, "10");
  CHECK_EQ(queue.msg_qbytes, 16384);
  for (int i = 0; i < 3; i++) REMOVE_QUEUE(ids[i]);
  int small = new_queue();
  CHECK_OK(msgctl(small, IPC_STAT, &queue));
  CHECK_EQ(queue.msg_qbytes, 10);
  REMOVE_QUEUE(small);
  put("/proc/sys/kernel/msgmni", "32000");
  put(MSGMNB_FILE, "16384");

  int set = CHECK_OK(semget(IPC_PRIVATE, 5, 0600));
  struct sembuf ops[3] = {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}};
  CHECK_EQ(semop(set, ops, 3), 0);
  put(SEM_FILE, "4 6 2 32000");
  CHECK_ERRNO(semop(set, ops, 3), E2BIG);
  CHECK_EQ(semop(set, ops, 2), 0);
  CHECK_ERRNO(semget(IPC_PRIVATE, 5, 0600), EINVAL);
  CHECK_ERRNO(semget(IPC_PRIVATE, 2, 0600), ENOSPC);
  put(SEM_FILE, "-1 -1 -1");
  CHECK_ERRNO(semget(IPC_PRIVATE, 1, 0600), EINVAL);
  CHECK_EQ(semop(set, ops, 3), 0);
  CHECK_EQ(semctl(set, 0, IPC_RMID), 0);
}

static void check_other_process(void) {
  int* stage = shared_memory(sizeof *stage);
  int queue = new_queue();
  pid_t child = fork_child();
  if (child == 0) {
    struct {
      long type;
      char text[64];
    } message = {1, ""};
    CHECK_EQ(msgsnd(queue, &message, 20, 0), 0);
    announce(stage, 1);
    await(stage, 2);
    CHECK_ERRNO(msgsnd(queue, &message, 20, 0), EINVAL);
    CHECK_EQ(msgsnd(queue, &message, 19, 0), 0);
    put(MSGMAX_FILE, "8192");
    _exit(0);
  }
  await(stage, 1);
  put(MSGMAX_FILE, "19");
  announce(stage, 2);
  CHECK_CHILD(child);
  CHECK_FILE(MSGMAX_FILE, "8192\n");
  REMOVE_QUEUE(queue);
}

static void check_stranger(void) {
  int fd = CHECK_OK(open(MSGMAX_FILE, O_RDWR));
  pid_t child = fork_child();
  if (child == 0) {
    become(10001, 10001, 0);
    CHECK_FILE(MSGMAX_FILE, "8192\n");
    CHECK_ERRNO(open(MSGMAX_FILE, O_WRONLY), EACCES);
    CHECK_ERRNO(open("/proc/sys/kernel/msg_next_id", O_RDWR), EACCES);
    CHECK_ERRNO(open("/proc/sys/fs/mqueue/msg_max", O_WRONLY), EACCES);
    CHECK_ERRNO(WRITE(fd, "1"), EPERM);
    char text[32];
    CHECK_EQ(read(fd, text, sizeof text), 5);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_FILE(MSGMAX_FILE, "8192\n");
}

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  check_lowered();
  check_other_process();
  check_stranger();
}
