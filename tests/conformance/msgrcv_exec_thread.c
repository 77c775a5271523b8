/*
 * exec while another thread waits for a message, by the main thread and by another one: that thread
 * takes no message any more, and the new image makes calls of its own.
 */
#include "msg_check.h"
#include <pthread.h>

static int id;
static const char* program;

static void* waits(void* unused) {
  (void)unused;
  struct message message;
  msgrcv(id, &message, sizeof message.text, 0, 0);
  FAIL("a message was received before exec");
  return NULL;
}

static void* execs(void* unused) {
  (void)unused;
  char number[16];
  snprintf(number, sizeof number, "%d", id);
  sleep_ms(50); /* most likely the other one waits by then */
  execl(program, program, number, NULL);
  FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
  return NULL;
}

static void in_new_image(int queue) {
  struct message message = {.type = 1, .text = "own"};
  CHECK_EQ(msgsnd(queue, &message, 4, 0), 0);
  message.text[0] = 0;
  CHECK_EQ(msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT), 4);
  CHECK(strcmp(message.text, "own") == 0);
}

int main(int argc, char** argv) {
  if (argc > 1) {
    in_new_image(atoi(argv[1]));
    return 0;
  }
  program = argv[0];
  id = new_queue();
  for (int main_execs = 0; main_execs < 2; main_execs++) {
    pid_t child = fork_child();
    if (child == 0) {
      pthread_t thread;
      CHECK_EQ(pthread_create(&thread, NULL, main_execs ? waits : execs, NULL), 0);
      if (main_execs) execs(NULL);
      waits(NULL);
    }
    CHECK_CHILD(child);
  }
  REMOVE_QUEUE(id);
  return 0;
}
