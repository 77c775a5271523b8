/* What dlopen_library.c loads. */
#include "process_check.h"

static void send(long type) {
  struct {
    long type;
    char text[8];
  } text = {type, "x"};
  CHECK_EQ(msgsnd(0, &text, 1, 0), 0);
}

__attribute__((constructor)) static void send_at_load(void) { send(1); }
__attribute__((destructor)) static void send_at_unload(void) { send(2); }

int find_queue(void);
int find_queue(void) { return msgget(KEY, 0); }
