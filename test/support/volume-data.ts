import { BASE_IMAGE, docker } from './engine-containers.js';
import type { Project } from './project.js';

/** 200 MB in files of every kind: owners, modes, links both ways, a fifo, names that are hard to delete. */
export const FILL_200_MB = `set -e; cd /data
mkdir -p tree/deep .hidden "..odd"; chmod 1777 tree; chown 1234:55 tree/deep; chmod 2750 tree/deep
head -c 10000000 /dev/urandom > tree/deep/noise; chown 1234:55 tree/deep/noise; chmod 640 tree/deep/noise
i=0; while [ $i -lt 19 ]; do seq $((i*2000000+10000000)) $((i*2000000+11120000)) > tree/part-$i; i=$((i+1)); done
cp /bin/true tree/suid; chown 9:9 tree/suid; chmod 4755 tree/suid
ln tree/deep/noise tree/again; ln -s ../elsewhere tree/link; ln -s /etc/passwd "tree/a b"; mkfifo tree/pipe
printf x > .hidden/x; printf y > "..odd/y"; printf z > "-rf"; chmod 750 /data; chown 7:8 /data`;

/** Runs a script on the volume `state` of a project, as root, in `/data`. @returns what it printed, trimmed */
export function inVolume(project: Project, script: string): Promise<string> {
  return docker('run', '--rm', '-v', `${project.name}_state:/data`, '--user', '0', BASE_IMAGE, 'sh', '-c', script);
}

/** Names, kinds, owners, modes, link targets and contents of everything in the volume `state`, as one checksum. */
export function sumOf(project: Project): Promise<string> {
  return inVolume(
    project,
    `cd /data; { find . -exec stat -c '%n %F %a %u %g %h' {} + ; find . -type l -exec readlink {} \\; ; find . -type f -exec md5sum {} + ; } | sort | md5sum`,
  );
}
