/**
 * A part of the schema of vim25: what methods and types may have, in the order of its WSDL. `*` is a type that has to be said by
 * `xsi:type`; a name that is none of these types is a text.
 */
export const methods: Readonly<Record<string, { of: string; takes: Readonly<Record<string, string>> }>> = {
  RetrieveServiceContent: { of: 'ServiceInstance', takes: {} },
  Login: { of: 'SessionManager', takes: { userName: 'string', password: 'string' } },
  Logout: { of: 'SessionManager', takes: {} },
  CreateContainerView: { of: 'ViewManager', takes: { container: 'ref', type: 'string', recursive: 'boolean' } },
  DestroyView: { of: 'ContainerView', takes: {} },
  RetrievePropertiesEx: {
    of: 'PropertyCollector',
    takes: { specSet: 'PropertyFilterSpec', options: 'RetrieveOptions' },
  },
  ContinueRetrievePropertiesEx: { of: 'PropertyCollector', takes: { token: 'string' } },
  FindByUuid: { of: 'SearchIndex', takes: { uuid: 'string', vmSearch: 'boolean', instanceUuid: 'boolean' } },
  CreateVM_Task: { of: 'Folder', takes: { config: 'VirtualMachineConfigSpec', pool: 'ref', host: 'ref' } },
  CloneVM_Task: { of: 'VirtualMachine', takes: { folder: 'ref', name: 'string', spec: 'VirtualMachineCloneSpec' } },
  ReconfigVM_Task: { of: 'VirtualMachine', takes: { spec: 'VirtualMachineConfigSpec' } },
  PowerOnVM_Task: { of: 'VirtualMachine', takes: { host: 'ref' } },
  PowerOffVM_Task: { of: 'VirtualMachine', takes: {} },
  ResetVM_Task: { of: 'VirtualMachine', takes: {} },
  ShutdownGuest: { of: 'VirtualMachine', takes: {} },
  Destroy_Task: { of: 'VirtualMachine', takes: {} },
  MarkAsTemplate: { of: 'VirtualMachine', takes: {} },
  MarkAsVirtualMachine: { of: 'VirtualMachine', takes: { pool: 'ref', host: 'ref' } },
  ExportVm: { of: 'VirtualMachine', takes: {} },
  ParseDescriptor: { of: 'OvfManager', takes: { ovfDescriptor: 'string', pdp: 'OvfParseDescriptorParams' } },
  CreateImportSpec: {
    of: 'OvfManager',
    takes: { ovfDescriptor: 'string', resourcePool: 'ref', datastore: 'ref', cisp: 'OvfCreateImportSpecParams' },
  },
  CreateDescriptor: { of: 'OvfManager', takes: { obj: 'ref', cdp: 'OvfCreateDescriptorParams' } },
  ImportVApp: { of: 'ResourcePool', takes: { spec: '*', folder: 'ref', host: 'ref' } },
  HttpNfcLeasePullFromUrls_Task: { of: 'HttpNfcLease', takes: { files: 'HttpNfcLeaseSourceFile' } },
  HttpNfcLeaseProgress: { of: 'HttpNfcLease', takes: { percent: 'int' } },
  HttpNfcLeaseComplete: { of: 'HttpNfcLease', takes: {} },
  HttpNfcLeaseAbort: { of: 'HttpNfcLease', takes: { fault: 'string' } },
  QueryAvailableDisksForVmfs: { of: 'HostDatastoreSystem', takes: { datastore: 'ref' } },
  QueryVmfsDatastoreCreateOptions: {
    of: 'HostDatastoreSystem',
    takes: { devicePath: 'string', vmfsMajorVersion: 'int' },
  },
  CreateVmfsDatastore: { of: 'HostDatastoreSystem', takes: { spec: 'VmfsDatastoreCreateSpec' } },
  StartProgramInGuest: { of: 'GuestProcessManager', takes: { vm: 'ref', auth: '*', spec: '*' } },
  ListProcessesInGuest: { of: 'GuestProcessManager', takes: { vm: 'ref', auth: '*', pids: 'long' } },
  TerminateProcessInGuest: { of: 'GuestProcessManager', takes: { vm: 'ref', auth: '*', pid: 'long' } },
}

const device = { key: 'int', deviceInfo: '*', backing: '*', connectable: 'VirtualDeviceConnectInfo' }
const placed = { ...device, controllerKey: 'int', unitNumber: 'int' }
const adapter = { ...placed, addressType: 'string', macAddress: 'mac' }
const controller = { ...placed, busNumber: 'int', sharedBus: 'string' }

export const types: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  PropertyFilterSpec: { propSet: 'PropertySpec', objectSet: 'ObjectSpec' },
  PropertySpec: { type: 'string', all: 'boolean', pathSet: 'string' },
  ObjectSpec: { obj: 'ref', skip: 'boolean', selectSet: '*' },
  TraversalSpec: { name: 'string', type: 'string', path: 'string', skip: 'boolean', selectSet: '*' },
  RetrieveOptions: { maxObjects: 'int' },
  VirtualMachineConfigSpec: {
    ...{ name: 'string', uuid: 'string', instanceUuid: 'string', guestId: 'string', annotation: 'string' },
    ...{ files: 'VirtualMachineFileInfo', flags: 'VirtualMachineFlagInfo', numCPUs: 'int', memoryMB: 'long' },
    ...{
      deviceChange: 'VirtualDeviceConfigSpec',
      extraConfig: 'OptionValue',
      bootOptions: 'VirtualMachineBootOptions',
    },
    ...{ vAppConfig: 'VmConfigSpec', firmware: 'string', nestedHVEnabled: 'boolean' },
  },
  VirtualMachineFileInfo: { vmPathName: 'string' },
  VirtualMachineFlagInfo: { virtualMmuUsage: 'string', virtualExecUsage: 'string' },
  VirtualDeviceConfigSpec: { operation: 'string', fileOperation: 'string', device: '*' },
  VirtualDeviceConnectInfo: { startConnected: 'boolean', allowGuestControl: 'boolean', connected: 'boolean' },
  ParaVirtualSCSIController: controller,
  VirtualDisk: { ...placed, capacityInKB: 'long', capacityInBytes: 'long' },
  VirtualE1000: adapter,
  VirtualE1000e: adapter,
  VirtualVmxnet3: adapter,
  VirtualDiskFlatVer2BackingInfo: {
    ...{ fileName: 'string', datastore: 'ref', diskMode: 'string', thinProvisioned: 'boolean' },
  },
  VirtualEthernetCardNetworkBackingInfo: { deviceName: 'string', network: 'ref' },
  VirtualEthernetCardDistributedVirtualPortBackingInfo: { port: 'DistributedVirtualSwitchPortConnection' },
  DistributedVirtualSwitchPortConnection: { switchUuid: 'string', portgroupKey: 'string', portKey: 'string' },
  OptionValue: { key: 'string', value: '*' },
  VirtualMachineBootOptions: { bootDelay: 'long', bootOrder: '*' },
  VirtualMachineBootOptionsBootableEthernetDevice: { deviceKey: 'int' },
  VirtualMachineBootOptionsBootableDiskDevice: { deviceKey: 'int' },
  VmConfigSpec: { product: 'string', property: 'VAppPropertySpec', ovfEnvironmentTransport: 'string' },
  VAppPropertySpec: { operation: 'string', removeKey: 'int', info: 'VAppPropertyInfo' },
  VAppPropertyInfo: { key: 'int', id: 'string', type: 'string', userConfigurable: 'boolean', value: 'string' },
  VirtualMachineCloneSpec: {
    ...{ location: 'VirtualMachineRelocateSpec', template: 'boolean', config: 'VirtualMachineConfigSpec' },
    ...{ customization: 'CustomizationSpec', powerOn: 'boolean' },
  },
  VirtualMachineRelocateSpec: { datastore: 'ref', pool: 'ref', host: 'ref', transform: 'string' },
  CustomizationSpec: {
    options: '*',
    identity: '*',
    globalIPSettings: 'CustomizationGlobalIPSettings',
    nicSettingMap: 'CustomizationAdapterMapping',
  },
  CustomizationLinuxOptions: {},
  CustomizationLinuxPrep: { hostName: '*', domain: 'string', timeZone: 'string', hwClockUTC: 'boolean' },
  CustomizationFixedName: { name: 'string' },
  CustomizationGlobalIPSettings: { dnsSuffixList: 'string', dnsServerList: 'string' },
  CustomizationAdapterMapping: { macAddress: 'mac', adapter: 'CustomizationIPSettings' },
  CustomizationIPSettings: { ip: '*', subnetMask: 'string', gateway: 'string' },
  CustomizationFixedIp: { ipAddress: 'string' },
  CustomizationDhcpIpGenerator: {},
  OvfParseDescriptorParams: { locale: 'string', deploymentOption: 'string' },
  OvfCreateImportSpecParams: {
    ...{ locale: 'string', deploymentOption: 'string', entityName: 'string', hostSystem: 'ref' },
    ...{ networkMapping: 'OvfNetworkMapping', ipAllocationPolicy: 'string', ipProtocol: 'string' },
    ...{ propertyMapping: 'KeyValue', diskProvisioning: 'string' },
  },
  OvfNetworkMapping: { name: 'string', network: 'ref' },
  KeyValue: { key: 'string', value: 'string' },
  OvfCreateDescriptorParams: { ovfFiles: 'OvfFile', name: 'string', description: 'string' },
  OvfFile: { deviceId: 'string', path: 'string', size: 'long' },
  VirtualMachineImportSpec: { configSpec: 'VirtualMachineConfigSpec', resPoolEntity: 'ref' },
  HttpNfcLeaseSourceFile: {
    ...{ targetDeviceId: 'string', url: 'string', memberName: 'string', create: 'boolean', sslThumbprint: 'string' },
    size: 'long',
  },
  VmfsDatastoreCreateSpec: { diskUuid: 'string', partition: 'HostDiskPartitionSpec', vmfs: 'HostVmfsSpec' },
  HostDiskPartitionSpec: { partitionFormat: 'string', totalSectors: 'long' },
  HostVmfsSpec: { extent: 'HostScsiDiskPartition', majorVersion: 'int', volumeName: 'string' },
  HostScsiDiskPartition: { diskName: 'string', partition: 'int' },
  NamePasswordAuthentication: { interactiveSession: 'boolean', username: 'string', password: 'string' },
  GuestProgramSpec: { programPath: 'string', arguments: 'string', workingDirectory: 'string' },
}

/** Texts that have a form. */
export const forms: Readonly<Record<string, RegExp>> = {
  string: /^[\s\S]*$/,
  'xsd:string': /^[\s\S]*$/,
  boolean: /^(true|false)$/,
  int: /^-?\d+$/,
  long: /^-?\d+$/,
  mac: /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/,
}
