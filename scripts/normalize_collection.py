"""Makes a built collection the same bytes whenever and wherever it is built from the same files.

Argument: the archive. ansible-galaxy writes files in the order of the folder and with their times;
here both are fixed, as npm does it, and the checksum that the manifest has of the list of files.
"""

import gzip
import hashlib
import io
import json
import sys
import tarfile

TIME = 499162500  # the one in npm's packages: 1985-10-26


def read(path):
    with tarfile.open(path) as archive:
        return {info.name: (info, archive.extractfile(info).read() if info.isfile() else None)
                for info in archive}


def as_json(value):
    return json.dumps(value, indent=True).encode()


def order(entries):
    listing, manifest = (json.loads(entries[name][1]) for name in ('FILES.json', 'MANIFEST.json'))
    listing['files'].sort(key=lambda entry: entry['name'])
    content = as_json(listing)
    manifest['file_manifest_file']['chksum_sha256'] = hashlib.sha256(content).hexdigest()
    entries['FILES.json'] = (entries['FILES.json'][0], content)
    entries['MANIFEST.json'] = (entries['MANIFEST.json'][0], as_json(manifest))


def write(path, entries):
    with open(path, 'wb') as file, gzip.GzipFile('', 'wb', 9, file, TIME) as packed:
        with tarfile.open(fileobj=packed, mode='w', format=tarfile.USTAR_FORMAT) as archive:
            # The manifest comes first: whoever reads the archive stops there.
            for name in sorted(entries, key=lambda name: (name != 'MANIFEST.json', name)):
                info, content = entries[name]
                info.mtime, info.size = TIME, len(content or b'')
                archive.addfile(info, io.BytesIO(content or b''))


entries = read(sys.argv[1])
order(entries)
write(sys.argv[1], entries)
