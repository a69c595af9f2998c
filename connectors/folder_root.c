/* folder_root.c - statfs, mountinfo and the like. */
#include "connectors/folder_root.h"

#include "connectors/folder_names.h"
#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#ifndef ZFS_SUPER_MAGIC
#define ZFS_SUPER_MAGIC 0x2fc12fc1
#endif
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#ifndef F2FS_SUPER_MAGIC
#define F2FS_SUPER_MAGIC 0xF2F52010
#endif
#ifndef FS_IOC_GETFSUUID /* Linux 6.9; Debian 12 has older headers */
struct fsuuid2 {
	__u8 len;
	__u8 uuid[16];
};
#define FS_IOC_GETFSUUID _IOR(0x15, 0, struct fsuuid2)
#endif

#define MOUNTINFO_MAX (8U << 20)

static uint64_t file_system_id(int fd, const struct statfs *fs)
{
	struct fsuuid2 uuid = { 0 };
	uint64_t id;
	_Static_assert(sizeof(fs->f_fsid) == sizeof(id), "f_fsid is 64 bits");
	memcpy(&id, &fs->f_fsid, sizeof(id));
	if ((fs->f_type == XFS_SUPER_MAGIC || fs->f_type == F2FS_SUPER_MAGIC) && ioctl(fd, FS_IOC_GETFSUUID, &uuid) == 0 &&
		uuid.len == sizeof(uuid.uuid))
		memcpy(&id, uuid.uuid, sizeof(id));
	return id;
}

static bool announces(const struct statfs *fs)
{
	switch ((uint64_t)fs->f_type & UINT32_MAX) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case ZFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

bool root_events(int fd)
{
	struct statfs fs;
	return fstatfs(fd, &fs) == 0 && announces(&fs);
}

static const char *cure(int sys)
{
	switch (sys) {
	case EACCES:
		return "let the daemon's user list it: setfacl -m u:USER:rx on it, and x on each directory above";
	case ENOTDIR:
		return "sources[].folder.path must name a directory";
	default:
		return "it is taken up by itself when it is there again";
	}
}

int root_open(const char *path, struct root *ret, struct err *err)
{
	CLEANUP(close_fdp) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	struct statfs fs;
	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return err_set(err, ERR_RETRY, errno, "folder '%s' is offline (%s)", path, cure(errno));
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->events = announces(&fs);
	(void)snprintf(ret->identity, sizeof(ret->identity), "%016" PRIx64 ":%" PRIx64, file_system_id(fd, &fs),
		(uint64_t)st.st_ino);
	ret->fd = take_fd(&fd);
	return 0;
}

void root_close(struct root *r)
{
	close_fdp(&r->fd);
	r->fd = -1;
}

bool root_same(const char *path, const struct root *r)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_dev == r->device && st.st_ino == r->inode;
}

int root_has_entries(int fd, char *const *ignore)
{
	CLEANUP(close_fdp) int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *dir = again < 0 ? NULL : fdopendir(again);
	const struct dirent *d;
	if (!dir)
		return -1;
	(void)take_fd(&again); /* dir's now */
	for (errno = 0; (d = readdir(dir)); errno = 0) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
			!names_ignored(d->d_name, strlen(d->d_name), d->d_type == DT_DIR, ignore))
			return 1;
	}
	return errno ? -1 : 0;
}

/* "/mnt/a\040b" in place: mountinfo writes blank, tab, newline and backslash in octal. */
static size_t unescape(char *text, size_t len)
{
	size_t to = 0;
	for (size_t from = 0; from < len; to++) {
		if (text[from] == '\\' && from + 3 < len) {
			text[to] = (char)((text[from + 1] - '0') << 6 | (text[from + 2] - '0') << 3 | (text[from + 3] - '0'));
			from += 4;
		} else {
			text[to] = text[from++];
		}
	}
	return to;
}

static bool is_within(struct slice path, struct slice top)
{
	if (top.len == 1)
		return true;
	return path.len >= top.len && memcmp(path.p, top.p, top.len) == 0 && (path.len == top.len || path.p[top.len] == '/');
}

/* The fifth field of a line, "36 35 98:0 /mnt1 /mnt2 rw,noatime ...", into `to`. */
static struct slice mount_point(const char *line, size_t len, struct buf *to)
{
	const char *p = line, *end = line + len;
	for (int field = 0; field < 4 && p; field++) {
		p = memchr(p, ' ', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	const char *stop = p ? memchr(p, ' ', (size_t)(end - p)) : NULL;
	to->len = 0;
	if (!stop)
		return (struct slice){ NULL, 0 };
	buf_add(to, p, (size_t)(stop - p));
	to->len = unescape(to->data, to->len);
	return buf_slice(to);
}

struct digest128 root_mounts(const char *path)
{
	static const struct hash_key key = { { 0 } }; /* compared within this process only, and with nobody's chosen text */
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf point = { 0 };
	struct digest128 sum = { 0, 0 };
	struct slice root = slice_of(path);
	if (file_slurp(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL) < 0 || !text.data)
		return sum;
	for (char *line = text.data, *next; line < text.data + text.len; line = next) {
		char *end = memchr(line, '\n', (size_t)(text.data + text.len - line));
		end = end ? end : text.data + text.len;
		next = end + 1;
		struct slice at = mount_point(line, (size_t)(end - line), &point);
		if (at.len > 0 && (is_within(at, root) || is_within(root, at)))
			digest128_add(&sum, &key, line, (size_t)(end - line));
	}
	return sum;
}
