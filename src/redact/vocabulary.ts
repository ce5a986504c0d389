/** Words that are the same on every system: fields, methods, states, classes and the English of error messages. They say
 *  nothing of whoever runs it, and a reader of the copy needs them. Lower case; a word in camel case is known when its parts
 *  are. No list of names is here: where names stand, even these words are replaced. */
const WORDS = `
dev bus pre
a abort aborted above addr addrs absent absolute accelerated accelerator accept accepted access acl acpi action actions activate active
ack add added adding address addresses after agent aggregate aggregates alias alive all allocate allocated allocation
allocations allow allowed already also alternate alternates alive always amd amq amqp an and another any api apic append apply
appears arch architecture are arg args argument arguments arm arp array as associated async at attach attached attaching
attachment attempt attempts attr attribute attributes attrs audience audit auth authenticate authentication authorization authorized auto autoport availability
available az b back backed backend backing bad ballooning balloon bandwidth base bases basic bdm bdms be because been before begin being below
between bgcolor bin binary bind binding bindings bios block blockcopy blockjob body bold boolean boot bound bps break bridge
broken build builder building builds bus but by bytes c cache cachemode call callback called caller can cancel canceled cancelled
cancelling cannot cap capabilities capability capacity cast catalog cdrom cell cells certificate certs change changed changes channel charset
check checked checking checks checksum child chunked chunk cidr cinder class cleaned clear cleanup client clock close closed
cloud code cold collection command commit common compat compatible complete completed compress compressed compression compute computes conditions conductor
config configdrive configuration configure configured conflict conflicting confirm connect connecting connection connections connectivity connector consistent console
constant consume consumer consumers container content context continue control controller converge copied copy copying core cores corrupt could count cpu
cpus cpuset cpusets crash create created creating creation credentials cross css current custom d data database date db deadlock deadline decode dedicated default
defer deferred define defined definition delay delegate delegation delete deleted deleting delivery delta denied depth dequeued derived descr
description deserialize deserializer dest destination destroy destroyed detach detached detail details device devices devname df dhcp did died
die dies diff different digest dirty disable disabled disconnect disconnected discard disk disks display dispatch dispatcher dns do does doesn domain
domains done down downtime drive driver drivers drop dropped dst due duplicate during dynamic e early eager effective either elapsed element eligible else email emulator emulation emulated
enable enabled encoding encrypt encrypted encryption end ended ending endpoint endpoints enough enter entries entity entry ephemeral equal errno errors
error evacuate evacuated evacuation evenly event events evidence exactly exc exceeded except exception exceptions exchange exclusive executable execute executing exist existing
exists exit exited expect expected expire expired expires export ext extend extended extending extension extensions external extra f factor
fail failed failing failover failure failures fallback false family fanout fatal fault faults feature features fetch few field fields file
filename files filesystem filter filters final find finish finished first fixed flag flags flavor flavorid flavors flush float floating
font footer for forbidden force forced foreign form format forward found fqdn fr free freed from full function g gateway gb general generate generated generation generic get getting gib given glance global gone got graphics
group groups guest gzip h had half handle handled handler handlers handling handshake hard has hash have hd header headers healthy heal
heartbeat held help hidden hint hints hook host hostname hosts hostuuid hot hotplug how href html http https hub huge hugepages hv hvm hw hypervisor i id
ide identical identifier identity ids idle ie if ignore ignored ignoring image images immutable implemented improper in inactive incompatible incomplete
incorrect increment index info information infos inet init initial initialize initialized initiator initrd inject injected inline inner input inside instance
instances insufficient int integer intel interface interfaceid interfaces internal interrupted into invalid inventories inventory io iothread iothreads ip iperf ips ipv is iscsi
isn iso isolated issue issued it item items iter iterate iteration iterations its itself job jobs json k kb keep keeping kernel key keys keystone kib kill killed kind known kvm
kwargs l label language last late latency latest launch launched lease least leave left len length less level levels lib libvirt libvirtd license lifecycle like limit limits line linear link links
linux list listen listening lists live load loaded loader loading local locale localhost located location lock locked lockstate log login logs long longer lookup lost lower lp
m mac machine main maintenance make malformed manager managed manual many map mapped mapping mappings mark masked master match matched matching max maximum may mb md media mem memballoon member memory mempages
message messages messaging met meta metadata method methods metrics mib microversion migratable migrate migrated migrating migration migrations min minimal minimum mirror mirroring misses missing mkdir mode model modified modify module
modules monitor more most mount mounted mouse move moved moving mq msec msg msi mtu much multi multifd multiattach multicast multiple must n name named names namespace nameservers native nbd need needed needs neither net network
networking networks neutron never new next nfs nic nics no node nodes nodelay nolaunch none noop nor normal not nothing notification notifications notify nova novnc now nowait null num numa number nvram o obj object objectstore objects objinst objmethod objname obsolete occur
occupied occured occurred of off offline offset ok old oldest omit on once one only open opened opendev openstack operation operational operations option optional options opts or order org orig original originating os oslo other out outside over
overcommit overflow override overridden ovs owner p pack package packages page pages pair pairs par parallel param parameter parameters params parent part partial parse pass passed passing passthrough path patch pause paused pausing payload pci pcpu pcpuset pcpus peer pending
per perform performed period periodic permission permissions permit permitted perms persistent persist phase physical pib pid pin ping pinned pipe pixie place placement planned platform please plug plugged plugin pod point pointer policies policy poll polling pong pool pools
poor populate port ports position possible post postcopy power poweroff ppc pre precopy prefix prepare prepared preparing present preserve prevent prevented previous primary print prior priority private privileges probably probe problem procedure process processed
processing processor product profile program progress project projects prompt propagate properties property proj protected protocol provide provided provider providers proxy ps pty public publish publisher purge put q qcow qemu qemus qga qos queue queued queues quorum quota r ram ran random range rate
raw rbd re reach reachable reached read readable reader readonly ready realm reason rearrange reboot rebooting rebuild receive received recent reclaim reconnect record records recover recovery redirect reenter ref refer referer refresh refused refusing regenerate region registered registration reject rejected rel
relabel related relative release released relay reload remaining remote remove removed removing rename render repeat replace replica reply report reported request requested requester requests require required requirement requires rescheduled rescue reservation reservations reserve reserved reset
reside resize resized resolve resource resources respond responding response restart restarted restore restrict restricted result results resume resumed resuming retain retries retry retrying return returned reuse reverse revert revision rfc right rng ro role roles rollback rolling root route router routers routes row rpc rtc rule run running
runtime rxtx s same sandbox sanity save saved saving scale scan scheduled scheduler scheduling scheme schema scope scopes scratch script scsi seclabel second seconds section secure security see seem seen segment segmentation select selected selinux send sender sending sent separate serial serialize
server servers service services session set sets setting settings setup several sev severity sgi sha shadow share shared sharing shelved short should shrink shut shutdown shutoff siblings side sign signal since single size sizes skip skipped slow slot small smbios smm snapshot snapshots so socket sockets soft
software some something soon sort source space spawn spawning spec special specific specification specified specify specs spice sql sr srv sriov ssh ssl stable stack stage stale standard standalone start started starting starts state stateful stateless states static statistics stats status statuses stderr stdout step still
stop stopped stopping stops storage store str strict string strip struct stub style sub subject submit subnet subnetpool subnets subnetpools subnetting subs subsections subset substring succeeded success successful successfully such sufficient suggested summary super superseded support supported supports suspend suspended swap switch switchover symlink sync synced syntax
sysinfo syslog system systems t tabs table tablet tag tagging tags take taken tap target task tasks tb tcp template temporarily temporary ten tenancy tenant tenants term terminate terminated terminating termination test text than that the their them then there these they thin this those thread threads threshold throttle through throughput tib time timed timeout timeouts
timer timestamp timestamps timezone title tls to tmp together token tokens too took tool top topic topology total trace traceback track tracked tracker trailing trait traits transaction transfer transferring transient transition transport tree tried triggered true trunk trust trusted try trying tsc tunnel tunneled tunnelled tunnelling two tx ty type types u udp
uint unable unacceptable unauthorized unaware unavailable undefine undefined unexpected unexpectedly unhandled unicode unimplemented unique unit unix unknown unlimited unlock unmanaged unmount unnamed unplug unplugged unprocessable unreachable unrecognized unrescue unsafe unset unsettled unsolicited unsupported until unused up update updated updates updating upgrade uplink uploading upper uri uris url urls usable usage usb use used user
username users uses using utc utf utils uuid uuids v val valid validate validated validation value values var variable varies vary vcpu vcpus vendor verb verify version versions versioned vga via video view vif viftype virsh virt virtio virtqueue virtual virtualization visible vlan vm vms vmx vnc vnet vnic voluntary volume volumes vpmem vpn vxlan wait waited waiting want wants
warning was watchdog way we weight were what when where whether which while who why width wildcard will window windows with within without word work workload worker workers works workaround would wrap write writeback writethrough writing written wrong www x xbzrle xen xenapi xml xmlns xp yes yet you your z zero zone zones zstd zlib
password passwords passwd pass secret secrets signature cookie cookies nonce adminpass application form urlencoded multipart debian ubuntu centos fedora rhel mod cpython pypy cgi gunicorn eventlet uwsgi nginx haproxy
wed thu fri sat sun mon tue jan feb mar apr jun jul aug sep oct nov dec gmt
ascii cirrus deflate identities keepalive keystoneauth keystoneclient novaclient openstackclient openstacksdk python urllib requests mozilla gecko webkit apache nginx wsgi
bochs qxl vmvga ps isa pty dac apparmor tpm crb tis vsock vfio hostdev mdev ich ac ehci uhci xhci piix nec nvme virtiofs hpet pit kvmclock hypervclock vapic spinlocks relaxed synic stimer frequencies vpindex runtime evmcs ioapic gic pvclock pvspinlock pauth vmcoreinfo vmport pmu ssbd nx lm sse ssse avx aes smep smap
dirtylimit qosd io_uring iommu viommu emulatorpin vcpupin iothreadids cputune memtune numatune mempolicy blkiotune currentmemory onpoweroff onreboot oncrash oncrashes pm suspendtomem suspendtodisk memorybacking hugepage locked nosharepages allocation discard
startup startupPolicy requisite mandatory optional
ksm thp swapin swapout xattr nodev relatime virtqemud virtproxyd virtlogd sasl scram gssapi plain external polkit md5
bridges chassis dhcpv slaac physnet fixedips geneve vhostuser vhost ovs ovn linuxbridge openvswitch unbound hostid
libosinfo libosinfos libvirtxml xmllint osinfo
`

const SINGLE: ReadonlySet<string> = new Set(
  WORDS.toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== ''),
)

/** Words with digits in them that are such words too, and compounds. */
const MIXED: ReadonlySet<string> = new Set(
  [
    'v1 v2 v3 v4 v6 ipv4 ipv6 ip4 ip6 utf8 sha1 sha256 sha512 md5 base64 x86 i386 i686 aarch64 ppc64 ppc64le s390x riscv64 armv7l',
    'i440fx q35 pc qcow2 qcow ext4 ps2 usb2 nova2 piix3 piix4 ich9 intel8254 i8254 e1000 rtl8139 ne2k vhostuser',
    'vda vdb vdc vdd sda sdb sdc hda hdb hdc fda 4k 8k 16k 2m 1g keystoneauth1 urllib3 python3 python2 http1 http2 http11 tls1 ssl3 rfc822',
    'prepare3 begin3 perform3 finish3 confirm3 prepare2 finish2 w3 oauth2 s3 ec2 l2 l3 l7 p2p tls12 tls13',
  ]
    .join(' ')
    .split(' '),
)

/** What has more than words in it, and is the same everywhere. */
const TOKENS: ReadonlySet<string> = new Set([
  'x86_64',
  'libvirt-1-format',
  'libvirt-2-format',
  'libvirt-3-format',
  'libvirt-1-storage',
  'drive-virtio-disk0',
  'drive-virtio-disk1',
  'drive-virtio-disk2',
  'drive-ide0-0-0',
  'drive-scsi0-0-0-0',
  'utf-8',
  'iso-8859-1',
])

const known = new Map<string, boolean>()
const KNOWN_MAX = 65_536

/** Whether a word, of letters and digits, is one of the vocabulary. Numbers are not. */
export function isTerm(word: string): boolean {
  let found = known.get(word)
  if (found === undefined) {
    found = isKnown(word)
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(word, found)
  }
  return found
}

/** Whether a token, which may have other characters inside, is one as a whole. */
export function isTermToken(token: string): boolean {
  return TOKENS.has(token)
}

/** Parts of a word in camel case: `os-migrateLive`, `InstanceNUMATopology`, `PciDevicePoolList`. */
const PARTS = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g

function isKnown(word: string): boolean {
  const lower = word.toLowerCase()
  if (SINGLE.has(lower) || MIXED.has(lower)) return true
  if (!/^[A-Za-z]+$/.test(word)) return false
  const parts = word.match(PARTS) ?? []
  if (parts.length > 1 && parts.join('') === word)
    return parts.every((part) => SINGLE.has(part.toLowerCase()))
  return false
}
