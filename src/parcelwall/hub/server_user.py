"""Whom the embedded PostgreSQL runs as: ourselves, or as root somebody without rights."""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

# Nobody is ever given this number: Debian reserves 65000 to 65533, and systemd's dynamic users end at 65519. `nobody`
# would not do: whoever else runs as nobody could read the data.
SERVER_UID = 65520
NOBODY = 65534


class User(NamedTuple):
    """A uid, and whether it may pass folders that are closed to it.

    `sees_through` is for data below a closed folder, such as a temporary one of root's: the server gets the one
    capability to read and pass (CAP_DAC_READ_SEARCH), none to write, and no folder above is ever changed.
    """

    uid: int
    sees_through: bool = False

    def that_sees_through(self) -> "User":
        return self._replace(sees_through=True)

    def command(self, *words: str, ends_with_us: bool = False) -> list[str]:
        """`words` run as this user. `ends_with_us`: the kernel sends INT, a fast shutdown, when our thread is gone."""
        become = ["setpriv", "--no-new-privs"]
        if self.uid != os.geteuid():
            become += [f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        if self.sees_through:
            rights = "-all,+dac_read_search"
            become += ["--securebits=+no_setuid_fixup", f"--inh-caps={rights}", f"--ambient-caps={rights}"]
        return [*become, *(["--pdeathsig=INT"] if ends_with_us else []), *words]

    def can(self, how: str, path: Path) -> bool:
        """What `test -r`, `-w` or `-x` says to this user, who sees the folders above with its own eyes."""
        done = subprocess.run(self.command("test", how, str(path)), capture_output=True, cwd="/")
        return done.returncode == 0
