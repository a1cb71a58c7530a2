#!/usr/bin/env python3
"""The report in a browser. usage: report_test.py BINARY SOURCE_DIR"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

BINARY = os.path.abspath(sys.argv[1])
SCENARIOS = os.path.join(os.path.abspath(sys.argv[2]), 'traces', 'scenarios')
FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync', '--enable-logging=stderr', '--force-device-scale-factor=1']
BLUE = (0x1f, 0x77, 0xb4)  # the first series of every plot


def colours(png):
    """How often each colour occurs in a PNG of 8 bits per channel."""
    at, data, channels, width = 8, b'', 3, 0
    while at < len(png):
        length, kind = struct.unpack('>I4s', png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        if kind == b'IHDR':
            width, channels = struct.unpack('>I', body[:4])[0], {2: 3, 6: 4}[body[9]]
        data += body if kind == b'IDAT' else b''
        at += length + 12
    raw, stride, counts = zlib.decompress(data), width * channels, {}
    before = bytearray(stride)
    for start in range(0, len(raw), stride + 1):
        line = bytearray(raw[start + 1:start + 1 + stride])
        unfilter(raw[start], line, before, channels)
        for x in range(0, stride, channels):
            colour = tuple(line[x:x + 3])
            counts[colour] = counts.get(colour, 0) + 1
        before = line
    return counts


def unfilter(kind, line, before, step):
    for i in range(len(line)):
        left, up, corner = (line[i - step] if i >= step else 0), before[i], (before[i - step] if i >= step else 0)
        if kind == 1:
            line[i] = (line[i] + left) & 255
        elif kind == 2:
            line[i] = (line[i] + up) & 255
        elif kind == 3:
            line[i] = (line[i] + (left + up) // 2) & 255
        elif kind == 4:
            guess = min((left, up, corner), key=lambda v, p=left + up - corner: abs(p - v))
            line[i] = (line[i] + guess) & 255


@unittest.skipUnless(shutil.which('chromium'), 'no chromium')
class Report(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def report_of(self, *args):
        subprocess.run([BINARY, 'run', *args, '--out', self.path('out')], check=True, capture_output=True, timeout=300)
        return self.path('out', 'report.html')

    def browse(self, page, *action):
        """Standard output of a browser with a profile of its own, and what the page wrote to the console."""
        profile = tempfile.mkdtemp(dir=self.folder)
        done = subprocess.run([shutil.which('chromium'), *FLAGS, f'--user-data-dir={profile}', *action, 'file://' + page],
                              capture_output=True, text=True, errors='replace', timeout=180, cwd=self.folder)
        return done.stdout, [line for line in done.stderr.splitlines() if 'CONSOLE' in line]

    def check(self, page, plots):
        with open(page, encoding='utf-8') as handle:
            text = handle.read()
        self.assertEqual(re.findall(r'(?:src|href)\s*=\s*["\']?https?:', text), [], 'the page is self-contained')
        dom, console = self.browse(page, '--dump-dom')
        self.assertEqual(console, [])
        self.assertEqual(re.findall(r'id="(\w+)"[^>]*data-drawn="1"', dom), plots)
        self.assertEqual(dom.count('<canvas'), len(plots))

    def test_plots_of_a_cluster_without_gpus(self):
        page = self.report_of(os.path.join(SCENARIOS, 'rollout.yaml'))
        self.check(page, ['pods', 'allocation', 'utilisation'])
        self.browse(page, '--window-size=600,1200', '--screenshot=' + self.path('page.png'))
        with open(self.path('page.png'), 'rb') as handle:
            self.assertGreater(colours(handle.read()).get(BLUE, 0), 200, 'lines are drawn')

    def test_plots_of_a_cluster_with_gpus_where_nothing_runs(self):
        self.check(self.report_of(os.path.join(SCENARIOS, 'fgd.yaml')), ['pods', 'allocation', 'gpu', 'arrival'])

    def test_texts_of_a_scenario_cannot_become_markup(self):
        with open(self.path('s.yaml'), 'w') as handle:
            handle.write('name: "</script><img src=x onerror=alert(1)>"\ndescription: "<b>&"\nhorizon: 10s\n'
                         'parameters: {p: "<script>console.error(1)</script>"}\ncluster: {nodes: [{group: {}}]}\n')
        self.check(self.report_of(self.path('s.yaml')), ['pods', 'allocation'])


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]], verbosity=1)
