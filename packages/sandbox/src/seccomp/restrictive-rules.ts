/** What the restrictive profile takes away from the default one. sh, git, python, node and gcc work without all of it. */
import * as guard from './guards.ts';
import type { Rule } from './profile.ts';

// biome-ignore format: a list of names is read as a paragraph
export const RESTRICTIVE_RULES: readonly Rule[] = [
  {
    why: 'no network stack at all: nothing to listen on, no loopback service, no netlink parser in reach',
    answer: guard.SOCKET_OF_AF_UNIX,
    calls: ['socket'],
  },
  {
    why: 'objects that outlive their process, seen in no directory; pipes, sockets and mapped files do the same work',
    answer: 'EPERM',
    calls: [
      'shmget', 'shmat', 'shmdt', 'shmctl', 'semget', 'semop', 'semtimedop', 'semctl', 'msgget', 'msgsnd', 'msgrcv', 'msgctl', 'mq_open',
      'mq_unlink', 'mq_timedsend', 'mq_timedreceive', 'mq_notify', 'mq_getsetattr',
    ],
  },
  {
    why: 'the host decides who runs where and how urgently; choosing a core helps to listen to its neighbour',
    answer: 'EPERM',
    calls: ['sched_setaffinity', 'sched_setattr', 'sched_setparam', 'sched_setscheduler', 'setpriority', 'ioprio_set'],
  },
  {
    why: 'flushes filesystems of the whole host, so that everybody waits; fsync of the own file remains',
    answer: 'EPERM',
    calls: ['sync', 'syncfs'],
  },
  { why: 'nothing but plain Linux is run', answer: 'EPERM', calls: ['personality'] },
  {
    why: 'memory the host can neither move nor look at',
    answer: 'EPERM',
    calls: ['memfd_secret'],
  },
  {
    why: 'odd corners of memory management with a history of exploits; read, write and mmap do the same',
    answer: 'EPERM',
    calls: ['vmsplice', 'remap_file_pages'],
  },
];
