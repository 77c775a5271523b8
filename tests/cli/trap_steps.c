/*
 * IPC, one step a word of the command line, by a program that nothing can be preloaded into: built
 * static, and static at a random address.
 */
#include <errno.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEY = 4711 };

struct message {
  long type;
  char text[64];
};

static void fail(const char* what) {
  printf("%s: %s\n", what, strerrorname_np(errno));
  fflush(stdout);
  _exit(1);
}

static int queue(void) {
  int id = msgget(KEY, IPC_CREAT | 0600);
  if (id < 0) fail("msgget");
  return id;
}

static int set(void) {
  int id = semget(KEY, 1, IPC_CREAT | 0600);
  if (id < 0) fail("semget");
  return id;
}

static void change(short by, short flags) {
  struct sembuf operation = {0, by, flags};
  if (semop(set(), &operation, 1) != 0) fail("semop");
}

static void step(const char* word) {
  struct message message = {1, ""};
  if (strncmp(word, "send=", 5) == 0) {
    strncpy(message.text, word + 5, sizeof message.text - 1);
    if (msgsnd(queue(), &message, strlen(message.text) + 1, 0) != 0) fail("msgsnd");
  } else if (strcmp(word, "receive") == 0) {
    if (msgrcv(queue(), &message, sizeof message.text, 0, 0) < 0) fail("msgrcv");
    printf("%s\n", message.text);
  } else if (strncmp(word, "add=", 4) == 0) {
    change((short)atoi(word + 4), 0);
  } else if (strcmp(word, "take") == 0) {
    change(-1, SEM_UNDO);
  } else if (strcmp(word, "value") == 0) {
    printf("%d\n", semctl(set(), 0, GETVAL));
  } else if (strcmp(word, "last") == 0) {
    printf("%d\n", semctl(set(), 0, GETPID) == getpid());
  } else if (strcmp(word, "ready") == 0) {
    printf("ready\n");
  } else if (strcmp(word, "pause") == 0) {
    fflush(stdout);
    pause();
  } else if (strcmp(word, "fork") == 0) {
    fflush(stdout);
    pid_t child = fork();
    if (child > 0) waitpid(child, NULL, 0);
    if (child > 0) _exit(0);
  } else if (strncmp(word, "exec=", 5) == 0) {
    fflush(stdout);
    char* arguments[] = {"sh", "-c", (char*)word + 5, NULL};
    char* nothing[] = {NULL};
    execve("/bin/sh", arguments, nothing);
    fail("execve");
  } else if (strcmp(word, "mqueue") == 0) {
    mqd_t mq = mq_open("/steps", O_CREAT | O_RDWR, 0600, NULL);
    if (mq < 0) fail("mq_open");
    char* room = malloc(8192);
    struct pollfd before = {mq, POLLIN, 0}, after = {mq, POLLIN, 0};
    poll(&before, 1, 0);
    if (mq_send(mq, "hello", 6, 3) != 0) fail("mq_send");
    poll(&after, 1, 0);
    unsigned priority = 0;
    if (mq_receive(mq, room, 8192, &priority) != 6) fail("mq_receive");
    printf("%s %u %d %d\n", room, priority, before.revents, after.revents);
    free(room);
  } else if (strcmp(word, "bad") == 0) {
    printf("%s", msgsnd(queue(), (void*)8, 1, 0) < 0 ? strerrorname_np(errno) : "?");
    printf(" %s\n", semop(set(), (void*)8, 1) < 0 ? strerrorname_np(errno) : "?");
  } else {
    printf("no step %s\n", word);
    _exit(2);
  }
  fflush(stdout);
}

int main(int argc, char** argv) {
  for (int n = 1; n < argc; n++) step(argv[n]);
  return 0;
}
