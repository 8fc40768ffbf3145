# SPDX-License-Identifier: Apache-2.0
"""The units are what systemd understands, and keep their walls."""
import configparser
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv.pop(1))
UNITS = SOURCE / "systemd"
SERVICES = ["safety", "supervisor", "learner", "metrics", "cell"]
EXPOSURE_MAX = {"safety": 0.8, "supervisor": 1.1, "learner": 1.0, "metrics": 1.4, "cell": 1.0}


def read(service):
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNITS / f"nightshift-{service}.service")
    return parser


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="nightshift-units-"))
        units = cls.root / "usr/lib/systemd/system"
        programs = cls.root / "usr/bin"
        units.mkdir(parents=True)
        programs.mkdir(parents=True)
        (cls.root / "etc").mkdir()
        for unit in list(UNITS.glob("*.service")) + list(UNITS.glob("*.target")):
            shutil.copy(unit, units)
        for service in SERVICES:
            shutil.copy("/bin/true", programs / f"nightshift-{service}")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    def test_systemd_understands_every_line(self):
        checked = subprocess.run(["systemd-analyze", "verify", f"--root={self.root}", "nightshift.target"],
                                 capture_output=True, text=True, timeout=60)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_every_service_is_behind_walls(self):
        for service, most in EXPOSURE_MAX.items():
            checked = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--root={self.root}",
                                      "--no-pager", f"nightshift-{service}.service"],
                                     capture_output=True, text=True, timeout=60)
            exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", checked.stdout).group(1))
            self.assertLessEqual(exposure, most, service)

    def test_the_target_starts_every_service_and_stops_it(self):
        target = (UNITS / "nightshift.target").read_text()
        for service in SERVICES:
            self.assertIn(f"nightshift-{service}.service", target)
            self.assertEqual(read(service)["Unit"]["PartOf"], "nightshift.target")

    def test_every_service_is_watched_restarted_and_not_retried_when_it_refuses(self):
        for service in SERVICES:
            unit = read(service)["Service"]
            self.assertEqual(unit["Type"], "notify", service)
            self.assertEqual(unit["Restart"], "always", service)
            self.assertEqual(unit["RestartPreventExitStatus"], "78", service)
            self.assertTrue(unit["WatchdogSec"], service)
        exit_codes = (SOURCE / "runtime/exit_codes.h").read_text()
        self.assertRegex(exit_codes, r"kExitRefused =\s+78;")

    def test_safety_is_a_user_of_its_own_that_cannot_reach_the_network_or_run_made_up_code(self):
        safety = read("safety")["Service"]
        self.assertNotEqual(safety["User"], read("supervisor")["Service"]["User"])
        self.assertEqual(safety["PrivateNetwork"], "yes")
        self.assertEqual(safety["RestrictAddressFamilies"], "AF_UNIX")
        self.assertEqual(safety["MemoryDenyWriteExecute"], "yes")
        self.assertEqual(safety["CapabilityBoundingSet"], "")
        self.assertLessEqual(float(safety["WatchdogSec"].removesuffix("s")), 1)

    def test_every_user_and_group_that_a_unit_names_is_made(self):
        made = set(re.findall(r"^[ug] (\S+)", (UNITS / "sysusers.d/nightshift.conf").read_text(), re.MULTILINE))
        for service in SERVICES:
            unit = read(service)["Service"]
            self.assertLessEqual({unit["User"], unit["Group"]}, made, service)

    def test_every_folder_that_a_unit_writes_to_is_made(self):
        made = set(re.findall(r"^d (\S+)", (UNITS / "tmpfiles.d/nightshift.conf").read_text(), re.MULTILINE))
        for service in SERVICES:
            self.assertLessEqual(set(read(service)["Service"]["ReadWritePaths"].split()), made, service)


if __name__ == "__main__":
    unittest.main()
