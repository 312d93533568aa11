#!/bin/sh
# Runs in the tree that debootstrap made: all that is not powerd.
set -eu
echo machine >/etc/hostname
# No fstab: the root stays as the kernel was told to mount it, also if that is "ro".
: >/etc/fstab

# A small initrd: the machine's disk and its file system, no more.
sed -i 's/^MODULES=.*/MODULES=list/' /etc/initramfs-tools/initramfs.conf
printf '%s\n' virtio_pci virtio_blk ext4 >>/etc/initramfs-tools/modules
update-initramfs -u

cat >/etc/systemd/network/10-bridge.netdev <<'END'
[NetDev]
Name=br0
Kind=bridge
END
cat >/etc/systemd/network/10-bridge.network <<'END'
[Match]
Name=br0
[Link]
RequiredForOnline=no
[Network]
LinkLocalAddressing=no
END
# The card that is woken. The driver of the other one never is that of a card which can be.
cat >/etc/systemd/network/20-card.network <<'END'
[Match]
Type=ether
Driver=!virtio_net
Kind=!*
[Network]
Bridge=br0
END
# To the host's loopback, and by no route to anywhere else.
cat >/etc/systemd/network/30-host.network <<'END'
[Match]
Driver=virtio_net
[Network]
Address=10.0.2.15/24
LinkLocalAddressing=no
END

cat >/etc/systemd/system/machine-agent.service <<'END'
[Unit]
Description=The test's hands in this machine
DefaultDependencies=no
[Service]
ExecStart=/usr/bin/python3 -I -S /usr/local/lib/machine/agent.py
Restart=always
StandardOutput=null
StandardError=null
[Install]
WantedBy=sysinit.target
END
# Fills the disk before any service starts, where the kernel's command line says so.
cat >/etc/systemd/system/machine-full-disk.service <<'END'
[Unit]
DefaultDependencies=no
ConditionKernelCommandLine=machine.full_disk
After=systemd-remount-fs.service
Before=systemd-tmpfiles-setup.service sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'fallocate -l $$(($$(stat -f -c "%%f * %%S" /) - 1048576)) /fill; cat /dev/zero >/fill-2 2>/dev/null; true'
[Install]
WantedBy=sysinit.target
END
# The last word of a shutdown, behind the hook of powerd: how the card was left.
cat >/usr/lib/systemd/system-shutdown/zz-machine <<'END'
#!/bin/sh
for card in /sys/class/net/*; do
    [ -e "$card/device" ] || continue
    name=${card##*/}
    wol=$(ethtool "$name" 2>/dev/null | sed -n 's/^\tWake-on: //p')
    echo "machine: the end, $1: $name ${wol:--}" >/dev/ttyS0
done
END
chmod 755 /usr/lib/systemd/system-shutdown/zz-machine

# What the first boot of a real machine leaves: later ones begin on a full or a read-only disk.
mkdir -p /var/lib/systemd/linger /var/lib/systemd/timers
systemd-tmpfiles --create

systemctl enable systemd-networkd.service machine-agent.service machine-full-disk.service
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer getty@tty1.service serial-getty@ttyS0.service
