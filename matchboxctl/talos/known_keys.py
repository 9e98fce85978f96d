"""The keys and kinds of documents that Talos knows, as of version 1.12."""

VERSION = "1.12"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS = _words(
    "BondConfig BridgeConfig DHCPv4Config DHCPv6Config DummyLinkConfig EthernetConfig EventSinkConfig "
    "ExistingVolumeConfig ExtensionServiceConfig HCloudVIPConfig HostnameConfig KmsgLogConfig "
    "KubeSpanEndpointsConfig Layer2VIPConfig LinkAliasConfig LinkConfig NetworkDefaultActionConfig "
    "NetworkRuleConfig OOMConfig PCIDriverRebindConfig RawVolumeConfig RegistryAuthConfig "
    "RegistryMirrorConfig RegistryTLSConfig ResolverConfig SideroLinkConfig StaticHostConfig "
    "SwapVolumeConfig TimeSyncConfig TrustedRootsConfig UserVolumeConfig VLANConfig VolumeConfig "
    "WatchdogTimerConfig WireguardConfig ZswapConfig"
)
"""The kinds of documents beside the main one."""

_AUTHORITY = "crt key"
_CONTAINER = "image extraArgs extraVolumes env resources"

KEYS = {
    path: _words(keys)
    for path, keys in {
        "": "version debug persist machine cluster",
        "machine": "type token ca acceptedCAs certSANs controlPlane kubelet pods network disks install files env time"
        " sysctls sysfs registries systemDiskEncryption features udev logging kernel seccompProfiles"
        " baseRuntimeSpecOverrides nodeLabels nodeAnnotations nodeTaints",
        "machine.ca": _AUTHORITY,
        "machine.controlPlane": "controllerManager scheduler",
        "machine.kubelet": "image clusterDNS extraArgs extraMounts extraConfig credentialProviderConfig"
        " defaultRuntimeSeccompProfileEnabled registerWithFQDN nodeIP skipNodeRegistration disableManifestsDirectory",
        "machine.network": "hostname interfaces nameservers searchDomains extraHostEntries kubespan"
        " disableSearchDomain",
        "machine.install": "disk diskSelector extraKernelArgs image extensions bootloader wipe legacyBIOSSupport"
        " grubUseUKICmdline",
        "machine.time": "disabled servers bootTimeout",
        "machine.registries": "mirrors config",
        "machine.systemDiskEncryption": "state ephemeral",
        "machine.features": "rbac stableHostname kubernetesTalosAPIAccess apidCheckExtKeyUsage diskQuotaSupport"
        " kubePrism hostDNS imageCache nodeAddressSortAlgorithm",
        "machine.udev": "rules",
        "machine.logging": "destinations",
        "machine.kernel": "modules",
        "cluster": "id secret controlPlane clusterName network token aescbcEncryptionSecret secretboxEncryptionSecret"
        " ca acceptedCAs aggregatorCA serviceAccount apiServer controllerManager proxy scheduler discovery etcd coreDNS"
        " externalCloudProvider extraManifests extraManifestHeaders inlineManifests adminKubeconfig"
        " allowSchedulingOnMasters allowSchedulingOnControlPlanes",
        "cluster.controlPlane": "endpoint localAPIServerPort",
        "cluster.network": "cni dnsDomain podSubnets serviceSubnets",
        "cluster.ca": _AUTHORITY,
        "cluster.aggregatorCA": _AUTHORITY,
        "cluster.serviceAccount": "key",
        "cluster.apiServer": f"{_CONTAINER} certSANs disablePodSecurityPolicy admissionControl auditPolicy"
        " authorizationConfig",
        "cluster.controllerManager": _CONTAINER,
        "cluster.proxy": "disabled image mode extraArgs",
        "cluster.scheduler": f"{_CONTAINER} config",
        "cluster.discovery": "enabled registries",
        "cluster.etcd": "image ca extraArgs subnet advertisedSubnets listenSubnets",
        "cluster.etcd.ca": _AUTHORITY,
        "cluster.coreDNS": "disabled image",
        "cluster.externalCloudProvider": "enabled manifests",
        "cluster.adminKubeconfig": "certLifetime",
    }.items()
}
"""The keys of mappings in the main document, by their paths. What is below others is not checked."""

MEANT = {"machine.kubelet.registerWithTaints": "machine.nodeTaints"}
"""Keys that Kubernetes has, and what Talos has for them."""
