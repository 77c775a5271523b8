/*
 * As X clients and their server do it: a client makes a private segment for all and tells the id; a
 * server of another user attaches it; the client marks it to be destroyed at once. Both go on, and
 * when both have ended nothing is left. The server may come when it is marked already.
 */
#include "shm_check.h"

enum { CLIENT = 10001, SERVER = 10002 };

int main(void) {
  NEED_ROOT();
  for (int marked_before = 0; marked_before < 2; marked_before++) {
    struct {
      int stage, id;
    }* board = shared_memory(sizeof *board);

    pid_t server = fork_child();
    if (server == 0) {
      become(SERVER, SERVER, 0);
      await(&board->stage, 1);
      char* p = ATTACH(board->id);
      announce(&board->stage, 2);
      await(&board->stage, 3);
      CHECK_TEXT(p, "picture");
      CHECK_EQ(stat_segment(board->id).shm_perm.mode, SHM_DEST | 0666);
      CHECK_ERRNO(shmctl(board->id, IPC_RMID, NULL), EPERM);
      strcpy(p, "shown");
      announce(&board->stage, 4);
      await(&board->stage, 5);
      CHECK_NATTCH(board->id, 1);
      CHECK_TEXT(p, "shown");
      DETACH(p);
      CHECK_DESTROYED(board->id);
      _exit(0);
    }
    pid_t client = fork_child();
    if (client == 0) {
      become(CLIENT, CLIENT, 0);
      board->id = CHECK_OK(shmget(IPC_PRIVATE, 100000, IPC_CREAT | 0666));
      char* p = ATTACH(board->id);
      if (marked_before) REMOVE_SEGMENT(board->id);
      announce(&board->stage, 1);
      await(&board->stage, 2);
      if (!marked_before) REMOVE_SEGMENT(board->id);
      strcpy(p, "picture");
      announce(&board->stage, 3);
      await(&board->stage, 4);
      CHECK_TEXT(p, "shown");
      _exit(0);
    }
    CHECK_CHILD(client);
    announce(&board->stage, 5);
    CHECK_CHILD(server);
    munmap(board, sizeof *board);
  }
}
