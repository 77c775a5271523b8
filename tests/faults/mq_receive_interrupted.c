// A log writer: it writes what comes, until an empty message says that it is the last.
// The bug: "nothing came" is what any failure says, EINTR too.
#include "seeded.h"

static const char kName[] = "/seeded-log";

static void send_all(mqd_t queue) {
  const char* const lines[] = {"started", "working", "ended", ""};
  for (int n = 0; n < 4; ++n) {
    usleep(2000);
    if (TEMP_FAILURE_RETRY(mq_send(queue, lines[n], strlen(lines[n]) + 1, 0)) < 0) _exit(1);
  }
  _exit(0);
}

int main(void) {
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 64};
  const mqd_t queue = mq_open(kName, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  if (queue == (mqd_t)-1) fail("mq_open");
  must_go("mq_unlink", mq_unlink(kName));
  const pid_t child = fork();
  if (child == 0) send_all(queue);
  for (;;) {
    char line[64];
#ifdef FIXED
    const ssize_t size = TEMP_FAILURE_RETRY(mq_receive(queue, line, sizeof line, NULL));
#else
    const ssize_t size = mq_receive(queue, line, sizeof line, NULL);
#endif
    if (size <= 1) break;
    printf("log: %s\n", line);
  }
  waitpid(child, NULL, 0);
  mq_close(queue);
  return 0;
}
