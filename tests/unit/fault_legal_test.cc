// Rules of fault injection whose outcome means nothing to the call, or could not be Linux's:
// refused with the reason. And those that are legal.
#include <string>

#include "tests/unit/fault_refusals.h"

namespace ipcell {

using namespace test;

TEST_CASE("actions that mean nothing for a call are refused", "[fault_legal]") {
  constexpr Refused kRows[] = {
      {"semop=^timeout^", "it is for semtimedop, mq_timedsend, mq_timedreceive"},
      {"mq_send=^timeout^", "mq_send has nothing to do with timeout"},
      {"mq_timedsend[flag:O_NONBLOCK]=^timeout^", "never sleeps"},
      {"msgget=^full^", "msgget has nothing to do with full"},
      {"msgsnd=^empty^", "it is for msgrcv, mq_receive, mq_timedreceive"},
      {"msgrcv=^busy^", "it is for semop, semtimedop"},
      {"shm.*=^full^", "shmget has nothing to do with full"},
      {"shmat=^kill(blocked)^", "shmat never sleeps"},
      {"shmat=^rmid(blocked)^", "shmat never sleeps"},
      {"msgget=^delay(woken,1s)^", "msgget never sleeps"},
      {"msgget=^delay(blocked,1s)^", "msgget never sleeps"},
      {"msgsnd|msgctl=^delay(blocked,1s)^", "msgctl never sleeps"},
      {"msgsnd[flag:IPC_NOWAIT]=^kill(blocked)^", "never sleeps"},
      {"msgsnd=^limit(msgmni=0)^",
       "msgsnd has nothing to do with msgmni; it is for msgget, msgctl"},
      {"shm.*=^limit(queues_max=0)^", "it is for mq_open"},
      {"msgsnd[block]=^full^", "too late for `full`"},
      {"msgsnd[block]=^limit(msgmax=0)^", "too late for"},
      {"msgsnd[block]=^kill(before)^", "too late for"},
      {"msgsnd[block]=^rmid(before)^", "too late for"},
      {"msgsnd[block]=log->^delay(enter,1s)^", "too late for `delay(enter,1s)`"},
      {"msgsnd[block]=^unsafe.drop^", "too late for"},
      {"shmat=^unsafe.corrupt^", "it is for msgsnd, msgrcv, mq_send,"},
      {"msgrcv=^unsafe.drop^", "it is for msgsnd, mq_send, mq_timedsend"},
      {"mq_receive=^unsafe.dup^", "it is for msgsnd,"},
  };
  for (const Refused& row : kRows) check_malformed(row);
}

TEST_CASE("outcomes that Linux could not give are refused, unless allowed", "[fault_legal]") {
  constexpr Refused kRows[] = {
      {"msgget=^err(EPIPE)^", "msgget(2) does not know EPIPE; msgget can be made to fail with "
                              "EACCES, EEXIST, ENOENT, ENOMEM, ENOSPC"},
      {"mq_getattr=^err(ENOMEM)^", "mq_getattr can be made to fail with no error"},
      {"msgsnd=^err(77)^", "msgop(2) does not know error 77"},
      {"msgsnd=^err(EFAULT)^", "msgsnd cannot be made to fail with EFAULT: whether a pointer"},
      {"msgrcv=^err(E2BIG)^", "the message that came"},
      {"msgrcv=^err(EAGAIN)^", "its error is ENOMSG"},
      {"semtimedop=^err(ETIMEDOUT)^", "its error is EAGAIN"},
      {"semop=^err(EFBIG)^", "the program's own argument"},
      {"semctl=^err(ERANGE)^", "the program's own argument"},
      {"shmctl=^err(EOVERFLOW)^", "no room"},
      {"shmdt=^err(EINVAL)^", "the program's own doing"},
      {"mq_open=^err(ENAMETOOLONG)^", "the program's own argument"},
      {"mq_close=^err(EBADF)^", "the program's own doing"},
      {"mq_send=^err(EMSGSIZE)^", "the program's own argument"},
      {"mq_send=^err(ETIMEDOUT)^", "it has no deadline"},
      {"msgsnd|msgget=^err(EIDRM)^", "msgget(2) does not know EIDRM"},
      {"mq.*=^err(EIDRM)^", "mq_open(3) does not know EIDRM"},
      {"msgget=^eintr^", "msgget never sleeps, so no signal interrupts it"},
      {"semctl=^err(EINTR)^", "semctl never sleeps, so no signal interrupts it"},
      {"msgsnd|msgctl=^eintr^", "msgctl never sleeps"},
      {"shm.*=^eintr^", "shmget never sleeps"},
      {"msgsnd[flag:IPC_NOWAIT]=^eintr^", "a call with IPC_NOWAIT or O_NONBLOCK never sleeps"},
      {"mq_send[flag:O_NONBLOCK]=^err(EINTR)^", "never sleeps"},
      {"msgsnd[!flag:IPC_NOWAIT]=^err(EAGAIN)^", "only a call with IPC_NOWAIT or O_NONBLOCK"},
      {"msgrcv[block]=^err(ENOMSG)^", "only a call with IPC_NOWAIT or O_NONBLOCK"},
      {"mq_receive[!flag:O_NONBLOCK]=^err(EAGAIN)^", "only a call with IPC_NOWAIT or O_NONBLOCK"},
      {"msgsnd[block]=^err(ENOMEM)^", "too late for that"},
      {"msgsnd[block]=^err(EINVAL)^", "too late for that"},
      {"semop[block]=^err(E2BIG)^", "too late for that"},
      {"msgget[key=IPC_PRIVATE]=^err(EEXIST)^", "only a call with a key"},
      {"msgget[!flag:IPC_EXCL]=^err(EEXIST)^", "both CREAT and EXCL"},
      {"msgget[!flag:IPC_CREAT]=^err(EEXIST)^", "both CREAT and EXCL"},
      {"mq_open[!flag:O_CREAT]=^err(ENOSPC)^", "only a call that makes something"},
      {"msgget[!flag:IPC_CREAT,key!=0,key=5]=^err(ENOMEM)^", "only a call that makes something"},
      {"msgget[flag:IPC_CREAT]=^err(ENOENT)^", "makes what is not there"},
      {"mq_open[flag:O_CREAT]=^err(ENOENT)^", "makes what is not there"},
      {"shmget[key=0]=^err(ENOENT)^", "makes what is not there"},
      {"msgctl[cmd=IPC_STAT]=^err(EPERM)^", "only IPC_SET and IPC_RMID"},
      {"msgctl[cmd=IPC_RMID]=^err(EACCES)^", "fail with EPERM"},
      {"semctl[cmd=IPC_RMID]=^err(EIDRM)^", "find the object there, or do not"},
      {"semctl[cmd=GETVAL]=^err(ENOMEM)^", "only GETALL and SETALL take memory"},
      {"shmctl[cmd=IPC_INFO]=^err(EINVAL)^", "IPC_INFO is about no object"},
      {"msgget=^err(ENOSYS)^", "expected a whole family, as `msg.*=err(ENOSYS)`"},
      {"msg.*@3=^err(ENOSYS)^", "without predicates and triggers"},
      {"msg.*[prog=x]=^err(ENOSYS)^", "without predicates and triggers"},
      {"msg.*|semop=^err(ENOSYS)^", "expected a whole family"},
      {"msgsnd=^unsafe.drop^", "unsafe.drop: Linux never loses, doubles or changes a message"},
      {"mq_timedsend=^unsafe.dup^", "Linux never"},
      {"msgrcv=log->^unsafe.corrupt^", "Linux never"},
      {"posix.*=^unsafe.corrupt^", "Linux never"},
  };
  for (const Refused& row : kRows) check_illegal(row);
}

TEST_CASE("outcomes that Linux gives are legal", "[fault_legal]") {
  for (const char* text : {"msgget=err(ENOSPC)",
                           "msgsnd=eintr",
                           "msgsnd=err(EINTR)",
                           "msgsnd[block]=eintr",
                           "msgsnd[block]=err(EIDRM)",
                           "msgsnd[flag:IPC_NOWAIT]=err(EAGAIN)",
                           "msgsnd=err(EAGAIN)",
                           "semtimedop[!flag:IPC_NOWAIT]=err(EAGAIN)",
                           "semtimedop[flag:IPC_NOWAIT]=err(EAGAIN)",
                           "semtimedop[block]=err(EAGAIN)",
                           "semtimedop[block]=timeout",
                           "mq_timedsend=err(ETIMEDOUT)",
                           "sysv.*=err(ENOMEM)",
                           "*=err(ENOMEM)",
                           "*=eintr",
                           "mq.*=err(ENOENT)",
                           "msg.*=err(ENOSYS)",
                           "sysv.*=err(ENOSYS)",
                           "*=err(ENOSYS)",
                           "mq_*=err(ENOSYS)",
                           "msgget[!flag:IPC_CREAT]=err(ENOMEM)",
                           "msgget[flag:IPC_CREAT|IPC_EXCL]=err(EEXIST)",
                           "msgctl[cmd=IPC_RMID]=err(EPERM)",
                           "semctl[cmd=SETALL]=err(ENOMEM)",
                           "shmctl[cmd!=IPC_RMID]=err(EPERM)",
                           "msgsnd=full->eintr",
                           "mq_timedsend=full->timeout",
                           "msgsnd=full->rmid(blocked)",
                           "mq_send=rmid(before)",
                           "shmdt=rmid(before)",
                           "msgsnd=log->kill(after)",
                           "*=kill(blocked)",
                           "msgsnd[block]=kill(after)"}) {
    check_legal(text);
  }
}

}  // namespace ipcell
