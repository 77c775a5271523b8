/*
 * ipc(2) without IPC_64 in the command: the structs of old, with 16 bits for ids, pids and counts.
 * libc has no names for them.
 */
#include "ipc_call.h"
#include <stdint.h>

#if !defined SYS_ipc
int main(void) { SKIP("no ipc(2) on this machine"); }
#else
struct old_perm {
  int key;
  uint16_t uid, gid, cuid, cgid, mode, seq;
};
struct old_queue {
  struct old_perm perm;
  uint32_t first, last;
  int stime, rtime, ctime;
  uint32_t lcbytes, lqbytes;
  uint16_t cbytes, qnum, qbytes, lspid, lrpid;
};
struct old_set {
  struct old_perm perm;
  int otime, ctime;
  uint32_t pointers[4];
  uint16_t nsems;
};
struct old_segment {
  struct old_perm perm;
  int segsz, atime, dtime, ctime;
  uint16_t cpid, lpid, nattch, unused;
  uint32_t unused2, unused3;
};

static void check_perm(const struct old_perm* perm, int key, int mode) {
  CHECK_EQ(perm->key, key);
  CHECK_EQ(perm->mode, mode);
  CHECK_EQ(perm->uid, 65534); /* 70000 has no room */
  CHECK_EQ(perm->gid, 700);
  CHECK_EQ(perm->cuid, getuid());
}

static void queue(void) {
  struct old_queue old;
  struct msqid_ds ds;
  CHECK_EQ(msgget(0x10cd, IPC_CREAT | 0600), 0);
  long message[2] = {5, 0};
  CHECK_EQ(msgsnd(0, message, 3, 0), 0);
  CHECK_EQ(msgctl(0, IPC_STAT, &ds), 0);
  ds.msg_perm.uid = 70000;
  ds.msg_perm.gid = 700;
  CHECK_EQ(msgctl(0, IPC_SET, &ds), 0);
  memset(&old, 0x5a, sizeof old);
  CHECK_EQ(ipc(CALL_MSGCTL, 0, IPC_STAT, 0, &old, 0), 0);
  check_perm(&old.perm, 0x10cd, 0600);
  CHECK_EQ(old.cbytes, 3);
  CHECK_EQ(old.qnum, 1);
  CHECK_EQ(old.qbytes, 16384);
  CHECK_EQ(old.lspid, (uint16_t)getpid());
  CHECK_EQ(old.ctime, ds.msg_ctime);
  CHECK_EQ(old.first | old.last | old.lcbytes | old.lqbytes, 0);
  old.perm.mode = 0640;
  old.qbytes = 1000;
  CHECK_EQ(ipc(CALL_MSGCTL, 0, IPC_SET, 0, &old, 0), 0);
  CHECK_EQ(msgctl(0, IPC_STAT, &ds), 0);
  CHECK_EQ(ds.msg_perm.mode, 0640);
  CHECK_EQ(ds.msg_perm.uid, 65534);
  CHECK_EQ(ds.msg_qbytes, 1000);
  CHECK_EQ(ipc(CALL_MSGCTL, 0, MSG_STAT, 0, &old, 0), 0);
  CHECK_ERRNO(ipc(CALL_MSGCTL, 0, IPC_SET, 0, (void*)16, 0), EFAULT);
  CHECK_ERRNO(ipc(CALL_MSGCTL, 0, IPC_STAT, 0, (void*)16, 0), EFAULT);
  CHECK_EQ(msgctl(0, IPC_RMID, NULL), 0);
}

static void set(void) {
  struct old_set old;
  struct semid_ds ds;
  union semun today = {.buf = &ds}, argument;
  void* pointer = &old;
  memcpy(&argument, &pointer, sizeof pointer);
  CHECK_EQ(semget(0x10dd, 5, IPC_CREAT | 0600), 0);
  CHECK_EQ(semctl(0, 0, IPC_STAT, today), 0);
  ds.sem_perm.uid = 70000;
  ds.sem_perm.gid = 700;
  CHECK_EQ(semctl(0, 0, IPC_SET, today), 0);
  memset(&old, 0x5a, sizeof old);
  CHECK_EQ(ipc(CALL_SEMCTL, 0, 0, IPC_STAT, &argument, 0), 0);
  check_perm(&old.perm, 0x10dd, 0600);
  CHECK_EQ(old.nsems, 5);
  CHECK_EQ(old.ctime, ds.sem_ctime);
  old.perm.mode = 0604;
  CHECK_EQ(ipc(CALL_SEMCTL, 0, 0, IPC_SET, &argument, 0), 0);
  CHECK_EQ(semctl(0, 0, IPC_STAT, today), 0);
  CHECK_EQ(ds.sem_perm.mode, 0604);
  CHECK_EQ(semctl(0, 0, IPC_RMID), 0);
}

static void segment(void) {
  struct old_segment old;
  struct shmid_ds ds;
  int limits[5];
  struct shminfo today;
  CHECK_EQ(shmget(0x10fa, 100, IPC_CREAT | 0600), 0);
  CHECK_EQ(shmctl(0, IPC_STAT, &ds), 0);
  ds.shm_perm.uid = 70000;
  ds.shm_perm.gid = 700;
  CHECK_EQ(shmctl(0, IPC_SET, &ds), 0);
  memset(&old, 0x5a, sizeof old);
  CHECK_EQ(ipc(CALL_SHMCTL, 0, IPC_STAT, 0, &old, 0), 0);
  check_perm(&old.perm, 0x10fa, 0600);
  CHECK_EQ(old.segsz, 100);
  CHECK_EQ(old.cpid, (uint16_t)getpid());
  CHECK_EQ(old.nattch, 0);
  CHECK_EQ(old.unused | old.unused2 | old.unused3, 0);
  old.perm.mode = 0606;
  CHECK_EQ(ipc(CALL_SHMCTL, 0, IPC_SET, 0, &old, 0), 0);
  CHECK_EQ(shmctl(0, IPC_STAT, &ds), 0);
  CHECK_EQ(ds.shm_perm.mode, 0606);
  CHECK_EQ(shmctl(0, IPC_INFO, (struct shmid_ds*)&today), 0);
  CHECK_EQ(ipc(CALL_SHMCTL, 0, IPC_INFO, 0, limits, 0), 0);
  CHECK_EQ(limits[0], today.shmmax);
  CHECK_EQ(limits[1], 1);
  CHECK_EQ(limits[2], today.shmmni);
  CHECK_EQ(limits[4], (int)today.shmall);
  CHECK_EQ(shmctl(0, IPC_RMID, NULL), 0);
}

int main(void) {
  if (geteuid() != 0) SKIP("needs root, to give objects away");
  queue();
  set();
  segment();
}
#endif
