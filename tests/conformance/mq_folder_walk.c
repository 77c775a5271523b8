/*
 * nftw(3) walks over /dev/mqueue as over other folders: the folder and each queue, in the order
 * that is asked for, until the program's function ends it.
 */
#include "mq_folder.h"
#include <ftw.h>

static int folders, queues, answer_to_queue;
static char order[16];

static int visit(const char* path, const struct stat* status, int kind, struct FTW* where) {
  size_t seen = strlen(order);
  if (strcmp(path, FOLDER) == 0) {
    CHECK(kind == FTW_D || kind == FTW_DP);
    CHECK_EQ(status->st_mode, S_IFDIR | 01777);
    CHECK_EQ(where->level, 0);
    CHECK_TEXT(path + where->base, "mqueue");
    folders++;
    order[seen] = kind == FTW_D ? 'd' : 'D';
    return 0;
  }
  CHECK_EQ(kind, FTW_F);
  CHECK_EQ(status->st_mode, S_IFREG | 0600);
  CHECK_EQ(where->level, 1);
  CHECK(strcmp(path + where->base, "one") == 0 || strcmp(path + where->base, "two") == 0);
  CHECK_EQ(strncmp(path, FOLDER "/", sizeof FOLDER), 0);
  queues++;
  order[seen] = 'f';
  return answer_to_queue;
}

static void check_walk(const char* path, int flags, int answer, int result, const char* want) {
  memset(order, 0, sizeof order);
  answer_to_queue = answer;
  CHECK_EQ(nftw(path, visit, 5, flags), result);
  CHECK_TEXT(order, want);
}

int main(void) {
  need_folder();
  mqd_t one = NEW_QUEUE("/one", 1, 1), two = NEW_QUEUE("/two", 1, 1);
  check_walk(FOLDER, 0, 0, 0, "dff");
  check_walk(FOLDER "/", FTW_PHYS, 0, 0, "dff");
  check_walk(FOLDER, FTW_DEPTH | FTW_PHYS, 0, 0, "ffD");
  check_walk(FOLDER, 0, 7, 7, "df");
  check_walk(FOLDER, FTW_DEPTH, 7, 7, "f");
  check_walk(FOLDER, FTW_ACTIONRETVAL, FTW_SKIP_SIBLINGS, 0, "df");
  check_walk(FOLDER, FTW_ACTIONRETVAL, FTW_STOP, FTW_STOP, "df");
  CLOSE_QUEUE(one);
  CLOSE_QUEUE(two);
  REMOVE_QUEUE("/one");
  REMOVE_QUEUE("/two");
}
