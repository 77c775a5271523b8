/*
 * A 32-bit and a 64-bit process in one namespace, whichever made it: messages, semaphores with
 * SEM_UNDO and a peer that is killed, shared memory, a POSIX queue by its name and by an inherited
 * descriptor, over fork and exec.
 *
 *     talk PEER          PEER: this program, built for the other size
 */
#include "../conformance/mq_check.h"
#include <stdint.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { MANY = 5500, SEGMENT = 3 << 20 };
struct message {
  long type;
  char text[64];
};

static void send_text(int id, long type, const char* text) {
  struct message message = {.type = type};
  strcpy(message.text, text);
  CHECK_EQ(msgsnd(id, &message, strlen(text) + 1, 0), 0);
}
static void receive_text(int id, long type, long want, const char* text) {
  struct message message = {0};
  CHECK_EQ(msgrcv(id, &message, sizeof message.text, type, 0), (long)strlen(text) + 1);
  CHECK_EQ(message.type, want);
  CHECK(strcmp(message.text, text) == 0);
}

static int operate(int set, int number, int add, int flags) {
  struct sembuf operation = {.sem_num = number, .sem_op = add, .sem_flg = flags};
  return semop(set, &operation, 1);
}

/* What the peer does; the keys are 1 to 3. */
static int answer(mqd_t inherited) {
  int queue = CHECK_OK(msgget(1, 0)), set = CHECK_OK(semget(2, 2, 0)),
      segment = CHECK_OK(shmget(3, 0, 0));
  receive_text(queue, 5, 5, "hello");
  /* A type of 64 bits is cut off for who has 32. */
  struct message message = {0};
  CHECK_EQ(msgrcv(queue, &message, sizeof message.text, -100, IPC_NOWAIT | MSG_NOERROR), -1);
  if (sizeof(long) == 4) receive_text(queue, 0, 7, "long");
  send_text(queue, 6, "and to you");

  char* memory = shmat(segment, NULL, 0);
  CHECK(memory != (void*)-1);
  CHECK(strcmp(memory + SEGMENT - 10, "shared") == 0);
  strcpy(memory, "answer");
  struct shmid_ds ds;
  CHECK_EQ(shmctl(segment, IPC_STAT, &ds), 0);
  CHECK_EQ(ds.shm_nattch, 2);
  CHECK_EQ(ds.shm_segsz, SEGMENT);

  char text[16];
  unsigned priority;
  mqd_t mq = CHECK_OK(mq_open("/talk", O_RDWR));
  CHECK_EQ(mq_receive(inherited, text, sizeof text, &priority), 4);
  CHECK_EQ(priority, 9);
  CHECK_EQ(mq_send(mq, "pong", 4, 3), 0);

  /* Messages of the far end of a large heap. */
  int last = CHECK_OK(msgget(1000 + MANY - 1, 0));
  static char large[sizeof(long) + 8192];
  CHECK_EQ(msgrcv(last, large, 8192, 0, 0), 8192);
  CHECK_EQ(large[sizeof(long) + 8191], 'x');

  /* Takes the lock, and dies with it. */
  CHECK_EQ(operate(set, 0, -1, SEM_UNDO), 0);
  CHECK_EQ(operate(set, 1, 1, 0), 0);
  for (;;) pause();
}

static void fill(void) {
  static char large[sizeof(long) + 8192];
  memset(large, 'x', sizeof large);
  *(long*)large = 1;
  for (int n = 0; n < MANY; n++) {
    int id = CHECK_OK(msgget(1000 + n, IPC_CREAT | 0600));
    for (int k = 0; k < 2; k++) CHECK_EQ(msgsnd(id, large, 8192, 0), 0);
  }
}

int main(int argc, char** argv) {
  if (argc == 3) return answer(atoi(argv[2]));
  struct mq_attr attr = room_for(2, 16);
  int queue = CHECK_OK(msgget(1, IPC_CREAT | 0600));
  int set = CHECK_OK(semget(2, 2, IPC_CREAT | 0600));
  int segment = CHECK_OK(shmget(3, SEGMENT, IPC_CREAT | 0600));
  mqd_t mq = CHECK_OK(mq_open("/talk", O_CREAT | O_RDWR, 0600, &attr));
  char* memory = shmat(segment, NULL, 0);
  CHECK(memory != (void*)-1);
  strcpy(memory + SEGMENT - 10, "shared");
  fill();
  CHECK_EQ(operate(set, 0, 1, 0), 0);
  CHECK_EQ(fcntl(mq, F_SETFD, 0), 0);
  CHECK_EQ(mq_send(mq, "ping", 4, 9), 0);

  pid_t peer = fork_child();
  if (peer == 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", mq);
    execl(argv[1], argv[1], argv[1], number, (char*)NULL);
    FAIL("exec of %s", argv[1]);
  }
  if (sizeof(long) == 8) {
    /* Far above what a 32-bit receiver asks for by its negative type. */
    send_text(queue, (long)(1ll << 33 | 7), "long");
  }
  send_text(queue, 5, "hello");
  receive_text(queue, 6, 6, "and to you");
  if (sizeof(long) == 8)
    CHECK_ERRNO(msgrcv(queue, &(struct message){0}, 64, 7, IPC_NOWAIT), ENOMSG);

  CHECK_EQ(operate(set, 1, -1, 0), 0);
  CHECK_EQ(semctl(set, 0, GETVAL), 0);
  CHECK(strcmp(memory, "answer") == 0);
  char text[16];
  unsigned priority;
  CHECK_EQ(mq_receive(mq, text, sizeof text, &priority), 4);
  CHECK_EQ(priority, 3);
  CHECK_EQ(mq_unlink("/talk"), 0);
  kill(peer, SIGKILL);
  CHECK_EQ(operate(set, 0, -1, 0), 0);
  waitpid(peer, NULL, 0);
  forget_child(peer);
  struct shmid_ds ds;
  CHECK_EQ(shmctl(segment, IPC_STAT, &ds), 0);
  CHECK_EQ(ds.shm_nattch, 1);
  CHECK_EQ(ds.shm_lpid, peer);

  /* Nothing stays, for the next to do the same. */
  for (int n = 0; n < MANY; n++) CHECK_EQ(msgctl(CHECK_OK(msgget(1000 + n, 0)), IPC_RMID, NULL), 0);
  CHECK_EQ(msgctl(queue, IPC_RMID, NULL), 0);
  CHECK_EQ(semctl(set, 0, IPC_RMID), 0);
  CHECK_EQ(shmctl(segment, IPC_RMID, NULL), 0);
}
