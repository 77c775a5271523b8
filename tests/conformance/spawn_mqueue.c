/*
 * posix_spawn with file actions on a message queue's descriptor, and with attributes: the program
 * has it where it was put, and where it was not closed.
 */
#include "process_check.h"
#include <mqueue.h>
#include <spawn.h>

static void be_started(int argc, char** argv) {
  if (argc < 2) return;
  for (int i = 2; i < argc; i++) {
    int fd = atoi(argv[i]);
    if (fd > 0)
      CHECK_EQ(mq_send(fd, "s", 1, 1), 0);
    else
      CHECK_ERRNO(mq_send(-fd, "s", 1, 1), EBADF);
  }
  look_if_started(argc);
}

static mqd_t messages;

static void expect_messages(int count) {
  char text[8];
  for (int i = 0; i < count; i++) CHECK_EQ(mq_receive(messages, text, sizeof text, NULL), 1);
  struct mq_attr attributes;
  CHECK_EQ(mq_getattr(messages, &attributes), 0);
  CHECK_EQ(attributes.mq_curmsgs, 0);
}

int main(int argc, char** argv) {
  be_started(argc, argv);
  make_queue();
  struct mq_attr limits = {.mq_maxmsg = 10, .mq_msgsize = 8};
  mqd_t opened = CHECK_OK(mq_open("/spawn", O_CREAT | O_RDWR, 0600, &limits));
  CHECK_EQ(mq_unlink("/spawn"), 0);
  messages = CHECK_OK(fcntl(opened, F_DUPFD_CLOEXEC, 50));
  CHECK_EQ(close(opened), 0);

  posix_spawn_file_actions_t actions;
  CHECK_EQ(posix_spawn_file_actions_init(&actions), 0);
  CHECK_EQ(posix_spawn_file_actions_adddup2(&actions, messages, 0), 0);
  CHECK_EQ(posix_spawn_file_actions_adddup2(&actions, messages, 70), 0);
  CHECK_EQ(posix_spawn_file_actions_adddup2(&actions, messages, 71), 0);
  CHECK_EQ(posix_spawn_file_actions_addclose(&actions, 71), 0);
  posix_spawnattr_t attributes;
  CHECK_EQ(posix_spawnattr_init(&attributes), 0);
  CHECK_EQ(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK),
           0);

  char gone[16];
  snprintf(gone, sizeof gone, "-%d", messages);
  char* arguments[] = {"program", "started", "70", gone, "-71", NULL};
  char* empty[] = {NULL};
  pid_t child;
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(posix_spawn(&child, "/proc/self/exe", &actions, i % 2 ? &attributes : NULL, arguments,
                         i % 3 ? environ : empty),
             0);
    CHECK_FOUND_BY(child);
    expect_messages(1);
  }
  CHECK_EQ(posix_spawn(&child, "/no/such/program", &actions, NULL, arguments, environ), ENOENT);
  expect_messages(0);
}
