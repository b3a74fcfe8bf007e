#!/bin/bash
# Gradescope runs this once, as root, when it builds the autograder's image (choose Debian 12 or Ubuntu 24.04).
set -eu
apt-get update
apt-get install --yes --no-install-recommends git make sudo
useradd --create-home grader
echo 'grader ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/grader
mkdir -p /srv/longhaul
tar --extract --file /autograder/source/longhaul.tar --directory /srv/longhaul
chown -R grader /srv/longhaul
cd /srv/longhaul
sudo -u grader env XDG_CACHE_HOME=/srv/longhaul/.cache ./setup.sh
rm /etc/sudoers.d/grader
