# 7. A TLS receiver accepts connections and never shakes hands: that is given up
# after a while and tried again, and nobody else waits for it.

from faults.lib.rig import times


def test_a_mute_receiver(rig, ca):
    mute, beside, other = rig.tls_sink(ca), rig.sink(), rig.tls_sink(ca)
    mute.handshake(False)
    rig.start(ca_file=ca.file)
    touched = rig.drain("a1", mute, touched=True, protocol="tls")
    rig.drain("a1", beside)
    rig.drain("a2", other, protocol="tls")
    rig.offer(["a1", "a2", "a3", "a4"])
    with rig.fault():
        rig.run(times(11, 60))  # a handshake is given up after 10 s
        status = rig.gw.status("a1", touched.url)
        mute.handshake(True)
    rig.verdict()
    assert status["state"] == "retrying" and "handshake" in status["last_error"]["error"]
