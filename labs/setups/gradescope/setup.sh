#!/bin/bash
# Gradescope runs this once, as root, when it builds the autograder's image (choose Debian 12 or Ubuntu 24.04).
set -eu
apt-get update
apt-get install --yes --no-install-recommends git make sudo
useradd --create-home grader
echo 'grader ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/grader
mkdir -p /opt/longhaul
tar --extract --file /autograder/source/longhaul.tar --directory /opt/longhaul
chown -R grader /opt/longhaul
cd /opt/longhaul
sudo -u grader env XDG_CACHE_HOME=/opt/longhaul/.cache ./setup.sh
rm /etc/sudoers.d/grader
