"""What tests of the layer need and Node cannot do: real overlay mounts, extended attributes, and an independent look at a tree.

Reads one JSON request a line, answers one JSON line. Names and contents travel as hex. An edit runs in a child in its own user and mount
namespace, as the launcher mounts a run's overlay, so nothing has to be unmounted and nothing is left behind.
"""
import ctypes
import errno
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import traceback

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER, MS_REC, MS_PRIVATE = 0x20000, 0x10000000, 0x4000, 0x40000
sys.setrecursionlimit(10_000)


def call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f'{function.__name__}: {os.strerror(number)}')


def is_opaque(path):
    try:
        return os.getxattr(path, 'user.overlay.opaque') == b'y'
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.ENOTSUP):
            return False
        raise


def kind_of(mode):
    for test, name in (
        (stat.S_ISREG, 'file'), (stat.S_ISDIR, 'directory'), (stat.S_ISLNK, 'symlink'), (stat.S_ISFIFO, 'fifo'), (stat.S_ISSOCK, 'socket')
    ):
        if test(mode):
            return name
    return 'device'


def snapshot(fd, prefix, entries):
    for name in os.listdir(fd):
        raw = os.fsencode(name)
        path = prefix + raw
        info = os.stat(raw, dir_fd=fd, follow_symlinks=False)
        kind = kind_of(info.st_mode)
        mode = stat.S_IMODE(info.st_mode)
        detail = ''
        if kind == 'file':
            file = os.open(raw, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd)
            with os.fdopen(file, 'rb') as content:
                detail = hashlib.sha256(content.read()).hexdigest()
        elif kind == 'symlink':
            mode = 0
            detail = os.fsencode(os.readlink(raw, dir_fd=fd)).hex()
        entries[path.hex()] = [kind, mode, detail]
        if kind == 'directory':
            below = os.open(raw, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            try:
                snapshot(below, path + b'/', entries)
            finally:
                os.close(below)
    return entries


def snapshot_of(directory):
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return snapshot(fd, b'', {})
    finally:
        os.close(fd)


def edit(edits):
    """Edits the current directory. What cannot be done (a parent that is gone) is left out, so that random edits are fine."""
    for operation, path, *rest in edits:
        path = bytes.fromhex(path)
        try:
            edit_one(operation, path, rest)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY, errno.EINVAL, errno.EXDEV, errno.ELOOP):
                raise


def edit_one(operation, path, rest):
    if operation == 'write':
        if os.path.islink(path):
            return
        with open(path, 'wb') as file:
            file.write(bytes.fromhex(rest[0]))
        os.chmod(path, rest[1])
    elif operation == 'append':
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, 'ab') as file:
                file.write(bytes.fromhex(rest[0]))
    elif operation == 'mkdir':
        os.mkdir(path)
        os.chmod(path, rest[0])
    elif operation == 'symlink':
        os.symlink(bytes.fromhex(rest[0]), path)
    elif operation == 'remove':
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    elif operation == 'rename':
        os.rename(path, bytes.fromhex(rest[0]))
    elif operation == 'chmod':
        if not os.path.islink(path):
            os.chmod(path, rest[0])
    elif operation == 'touch':
        os.utime(path, follow_symlinks=False)
    elif operation == 'link':
        if os.path.isdir(path) and not os.path.islink(path):
            return
        os.link(path, bytes.fromhex(rest[0]), follow_symlinks=False)
    elif operation == 'fifo':
        os.mkfifo(path)
    elif operation == 'sparse':
        if os.path.islink(path):
            return
        with open(path, 'wb') as file:
            file.truncate(rest[0])
    elif operation == 'deep':
        here = os.open('.', os.O_RDONLY)
        for _ in range(rest[0]):
            if not os.path.isdir(path):
                os.mkdir(path)
            os.chdir(path)
        with open(b'bottom', 'wb') as file:
            file.write(bytes.fromhex(rest[1]))
        os.fchdir(here)
        os.close(here)
    else:
        raise ValueError(operation)


def become_root():
    uid, gid = os.geteuid(), os.getegid()
    call(libc.unshare, CLONE_NEWUSER | CLONE_NEWNS)
    for name, line in (('setgroups', 'deny'), ('uid_map', f'0 {uid} 1'), ('gid_map', f'0 {gid} 1')):
        with open(f'/proc/self/{name}', 'w') as file:
            file.write(line)


def enter_overlay(lower, upper, work, merged):
    become_root()
    call(libc.mount, b'none', b'/', None, MS_REC | MS_PRIVATE, None)
    options = f'userxattr,lowerdir={lower},upperdir={upper},workdir={work}'
    call(libc.mount, b'overlay', merged.encode(), b'overlay', 0, options.encode())
    os.chdir(merged)


def in_child(work):
    """Runs in a child of its own, and gives what it returns."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = {'result': work()}
        except BaseException as error:
            answer = {'error': f'{type(error).__name__}: {error}', 'trace': traceback.format_exc()}
        os.close(reading)
        with os.fdopen(writing, 'w') as file:
            json.dump(answer, file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(child, 0)
    return json.loads(text)


def run_snapshot(request):
    # An ordinary user sees into what is shut to its owner only as root of a user namespace.
    if os.geteuid() != 0:
        become_root()
    return snapshot_of(request['directory'])


def run_overlay(request):
    enter_overlay(request['lower'], request['upper'], request['work'], request['merged'])
    os.umask(0)
    edit(request['edits'])
    return snapshot_of('.')


def run_build(request):
    os.chdir(request['directory'])
    os.umask(0)
    edit(request['edits'])
    return None


def remove_deep(directory):
    """As rm -rf, which is the only common program that gets out of any depth."""
    subprocess.run(['rm', '-rf', '--', directory], check=True)


def answer(request):
    match request['do']:
        case 'opaque':
            return {'result': [is_opaque(path) for path in request['paths']]}
        case 'snapshot':
            return in_child(lambda: run_snapshot(request))
        case 'overlay':
            return in_child(lambda: run_overlay(request))
        case 'mknod':
            return {'result': os.mknod(request['path'], stat.S_IFCHR | 0o600, os.makedev(request['major'], request['minor']))}
        case 'remove-deep':
            return in_child(lambda: remove_deep(request['directory']))
        case 'build':
            return in_child(lambda: run_build(request))
        case other:
            raise ValueError(other)


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:
        reply = {'error': f'{type(error).__name__}: {error}', 'trace': traceback.format_exc()}
    print(json.dumps(reply), flush=True)
