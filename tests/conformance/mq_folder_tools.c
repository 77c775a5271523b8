/* ls, stat, cat, chmod, touch and rm work on queues in /dev/mqueue. */
#include "mq_folder.h"

static void run(const char* command, const char* want) {
  char got[512];
  FILE* output = popen(command, "r");
  CHECK(output != NULL);
  got[fread(got, 1, sizeof got - 1, output)] = '\0';
  CHECK_EQ(pclose(output), 0);
  CHECK_TEXT(got, want);
}

int main(void) {
  need_folder();
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  NEW_QUEUE("/another", 2, 8);
  CHECK_SEND(mq, 0, "four");
  struct stat status;
  run("ls /dev/mqueue", "another\nq\n");
  run("stat -c '%s %a %F' /dev/mqueue/q", "80 600 regular file\n");
  run("cat /dev/mqueue/q", "QSIZE:4          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n");
  run("cut -c 1-7 /dev/mqueue/q", "QSIZE:4\n");
  run("chmod 0640 /dev/mqueue/q", "");
  CHECK_EQ(fstat(mq, &status), 0);
  CHECK_EQ(status.st_mode, S_IFREG | 0640);
  run("touch -d @1000 /dev/mqueue/q", "");
  CHECK_EQ(fstat(mq, &status), 0);
  CHECK_EQ(status.st_mtime, 1000);
  run("rm /dev/mqueue/q", "");
  CHECK_ERRNO(mq_open("/q", O_RDWR), ENOENT);
  run("ls /dev/mqueue", "another\n");
  CHECK_RECEIVE(mq, 0, "four");
  REMOVE_QUEUE("/another");
}
