// Message queue calls at the word of a test: a line of standard input each, answered by a line with
// the result, or the errno with a minus sign. Ends with status 0 at the end of the input.
//
//   get KEY | send ID TYPE SIZE | receive ID TYPE | try ID TYPE | stat ID | remove ID
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

static struct {
  long type;
  char text[65536];
} message;

static long execute(const char* verb, long first, long second, long third) {
  struct msqid_ds status;
  if (strcmp(verb, "get") == 0) return msgget((key_t)first, IPC_CREAT | 0600);
  if (strcmp(verb, "send") == 0) {
    message.type = second;
    return msgsnd((int)first, &message, (size_t)third, IPC_NOWAIT);
  }
  if (strcmp(verb, "receive") == 0) {
    return msgrcv((int)first, &message, sizeof message.text, second, 0);
  }
  if (strcmp(verb, "try") == 0) {
    return msgrcv((int)first, &message, sizeof message.text, second, IPC_NOWAIT);
  }
  if (strcmp(verb, "stat") == 0) {
    return msgctl((int)first, IPC_STAT, &status) == 0 ? (long)status.msg_qnum : -1;
  }
  if (strcmp(verb, "remove") == 0) return msgctl((int)first, IPC_RMID, NULL);
  fprintf(stderr, "queue_shell: no such word: %s\n", verb);
  exit(2);
}

int main(void) {
  char line[128];
  char verb[32];
  while (fgets(line, sizeof line, stdin) != NULL) {
    long first = 0, second = 0, third = 0;
    if (sscanf(line, "%31s %ld %ld %ld", verb, &first, &second, &third) < 1) continue;
    errno = 0;
    const long result = execute(verb, first, second, third);
    printf("%ld\n", result == -1 ? -errno : result);
    fflush(stdout);
  }
  return 0;
}
