/* ipc(2): each of its calls reaches the same objects as libc's functions, with their errors. */
#include "ipc_call.h"

#if !defined SYS_ipc
int main(void) { SKIP("no ipc(2) on this machine"); }
#else
static void messages(void) {
  struct {
    long type;
    char text[8];
  } message = {5, "text"};
  struct {
    void* message;
    long type;
  } kludge = {&message, 0};
  struct msqid_ds ds;
  CHECK_EQ(ipc(CALL_MSGGET, 0x10cd, IPC_CREAT | 0600, 0, NULL, 0), 0);
  CHECK_EQ(msgget(0x10cd, 0), 0);
  for (int n = 0; n < 2; n++) CHECK_EQ(ipc(CALL_MSGSND, 0, 4, 0, &message, 0), 0);
  CHECK_EQ(ipc(CALL_MSGCTL, 0, IPC_STAT | CALL_IPC64, 0, &ds, 0), 0);
  CHECK_EQ(ds.msg_qnum, 2);
  message.type = 0;
  CHECK_EQ(ipc(CALL_MSGRCV, 0, 8, 0, &kludge, 0), 4);
  CHECK_EQ(message.type, 5);
  message.type = 0;
  CHECK_ERRNO(ipc(CALL_MSGRCV | 1 << 16, 0, 8, IPC_NOWAIT, &message, 6), ENOMSG);
  CHECK_EQ(ipc(CALL_MSGRCV | 1 << 16, 0, 8, 0, &message, 5), 4);
  CHECK_EQ(message.type, 5);
  CHECK_ERRNO(ipc(CALL_MSGRCV, 0, 8, IPC_NOWAIT, NULL, 0), EINVAL);
  CHECK_ERRNO(ipc(CALL_MSGRCV, 0, 8, IPC_NOWAIT, (void*)16, 0), EFAULT);
  CHECK_ERRNO(ipc(CALL_MSGRCV, 0, -1, IPC_NOWAIT, &kludge, 0), EINVAL);
  CHECK_ERRNO(ipc(CALL_MSGSND, 0, -1, 0, &message, 0), EINVAL);
  CHECK_ERRNO(ipc(CALL_MSGCTL, 0, IPC_STAT | CALL_IPC64, 0, (void*)16, 0), EFAULT);
  CHECK_EQ(ipc(CALL_MSGCTL, 0, IPC_RMID | CALL_IPC64, 0, NULL, 0), 0);
  CHECK_ERRNO(ipc(CALL_MSGCTL, 0, IPC_RMID, 0, NULL, 0), EINVAL);
}

static void semaphores(void) {
  struct sembuf up = {0, 2, 0}, down = {0, -3, 0};
  struct timespec soon = {0, 1000000}, wrong = {0, -1};
  unsigned short values[2] = {0, 0};
  struct semid_ds ds;
  union semun argument = {.val = 7};
  CHECK_EQ(ipc(CALL_SEMGET, 0x10dd, 2, IPC_CREAT | 0600, NULL, 0), 0);
  CHECK_EQ(ipc(CALL_SEMOP, 0, 1, 0, &up, 0), 0);
  CHECK_EQ(semctl(0, 0, GETVAL), 2);
  CHECK_ERRNO(ipc(CALL_SEMTIMEDOP, 0, 1, 0, &down, (long)&soon), EAGAIN);
  CHECK_ERRNO(ipc(CALL_SEMTIMEDOP, 0, 1, 0, &down, (long)&wrong), EINVAL);
  CHECK_ERRNO(ipc(CALL_SEMTIMEDOP, 0, 1, 0, &down, 16), EFAULT);
  CHECK_EQ(ipc(CALL_SEMCTL, 0, 1, SETVAL, &argument, 0), 0);
  argument.array = values;
  CHECK_EQ(ipc(CALL_SEMCTL, 0, 0, GETALL | CALL_IPC64, &argument, 0), 0);
  CHECK_EQ(values[0], 2);
  CHECK_EQ(values[1], 7);
  argument.buf = &ds;
  CHECK_EQ(ipc(CALL_SEMCTL, 0, 0, IPC_STAT | CALL_IPC64, &argument, 0), 0);
  CHECK_EQ(ds.sem_nsems, 2);
  CHECK_ERRNO(ipc(CALL_SEMCTL, 0, 0, GETVAL, NULL, 0), EINVAL);
  CHECK_ERRNO(ipc(CALL_SEMCTL, 0, 0, GETVAL, (void*)16, 0), EFAULT);
  CHECK_ERRNO(ipc(CALL_SEMOP, 0, 0, 0, &up, 0), EINVAL);
  CHECK_EQ(ipc(CALL_SEMCTL, 0, 0, IPC_RMID, &argument, 0), 0);
}

static void segments(void) {
  unsigned long address = 0, same = 0;
  struct shmid_ds ds;
  CHECK_EQ(ipc(CALL_SHMGET, 0x10fa, 100, IPC_CREAT | 0600, NULL, 0), 0);
  CHECK_EQ(ipc(CALL_SHMAT, 0, 0, (long)&address, NULL, 0), 0);
  CHECK_EQ(ipc(CALL_SHMAT, 0, SHM_RDONLY, (long)&same, NULL, 0), 0);
  CHECK_ERRNO(ipc(CALL_SHMAT | 1 << 16, 0, 0, (long)&same, NULL, 0), EINVAL);
  CHECK_ERRNO(ipc(CALL_SHMAT, 0, SHM_RND, (long)&address, (void*)0xffffe000, 0), ENOMEM);
  strcpy((char*)address, "text");
  CHECK(strcmp((char*)same, "text") == 0);
  CHECK_EQ(ipc(CALL_SHMCTL, 0, IPC_STAT | CALL_IPC64, 0, &ds, 0), 0);
  CHECK_EQ(ds.shm_nattch, 2);
  CHECK_EQ(ipc(CALL_SHMDT, 0, 0, 0, (void*)same, 0), 0);
  CHECK_EQ(shmdt((void*)address), 0);
  CHECK_ERRNO(ipc(CALL_SHMDT, 0, 0, 0, (void*)same, 0), EINVAL);
  /* The address has nowhere to go: attached it is all the same. */
  CHECK_ERRNO(ipc(CALL_SHMAT, 0, 0, 16, NULL, 0), EFAULT);
  CHECK_EQ(shmctl(0, IPC_STAT, &ds), 0);
  CHECK_EQ(ds.shm_nattch, 1);
  CHECK_EQ(ipc(CALL_SHMCTL, 0, IPC_RMID, 0, NULL, 0), 0);
}

int main(void) {
  messages();
  semaphores();
  segments();
  CHECK_ERRNO(ipc(5, 0, 0, 0, NULL, 0), ENOSYS);
  CHECK_ERRNO(ipc(0x20, 0, 0, 0, NULL, 0), ENOSYS);
}
#endif
