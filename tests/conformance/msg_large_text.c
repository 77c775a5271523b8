/*
 * Texts up to msgmax arrive whole, around the sizes at which the kernel splits them, and so do the
 * parts of them.
 */
#include "msg_check.h"

static struct message out, in;

static char letter(size_t position) { return 1 + position * 7 % 251; }

/* The first `want` bytes are those that were sent, the next is not touched. */
static void check_text_of(size_t want) {
  for (size_t i = 0; i < want; i++) CHECK_EQ(in.text[i], letter(i));
  if (want < sizeof in.text) CHECK_EQ(in.text[want], 0);
}

int main(void) {
  int id = new_queue();
  out.type = 1;
  for (size_t i = 0; i < sizeof out.text; i++) out.text[i] = letter(i);

  const size_t sizes[] = {1, 4047, 4048, 4049, 4096, 8135, 8136, 8137, 8191, 8192};
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    CHECK_EQ(msgsnd(id, &out, sizes[i], IPC_NOWAIT), 0);
    memset(&in, 0, sizeof in);
    CHECK_EQ(msgrcv(id, &in, sizeof in.text, 0, IPC_NOWAIT), sizes[i]);
    check_text_of(sizes[i]);

    CHECK_EQ(msgsnd(id, &out, sizeof out.text, IPC_NOWAIT), 0);
    memset(&in, 0, sizeof in);
    CHECK_EQ(msgrcv(id, &in, sizes[i], 0, MSG_NOERROR), sizes[i]);
    check_text_of(sizes[i]);
  }
  REMOVE_QUEUE(id);
}
