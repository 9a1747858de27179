import type { Attribute } from './attribute.ts';
import { attributeFilename, type Channel, type Device, type IioContext } from './iio-context.ts';

/** Document type of a context as libiio 0.2x gives it: elements and attributes that a client may rely on. */
const ELEMENTS = [
  '<!ELEMENT context (device | context-attribute)*>',
  '<!ELEMENT context-attribute EMPTY>',
  '<!ELEMENT device (channel | attribute | debug-attribute | buffer-attribute)*>',
  '<!ELEMENT channel (scan-element?, attribute*)>',
  '<!ELEMENT attribute EMPTY>',
  '<!ELEMENT scan-element EMPTY>',
  '<!ELEMENT debug-attribute EMPTY>',
  '<!ELEMENT buffer-attribute EMPTY>',
  '<!ATTLIST context name CDATA #REQUIRED version-major CDATA #REQUIRED version-minor CDATA #REQUIRED version-git CDATA #REQUIRED description CDATA #IMPLIED>',
  '<!ATTLIST context-attribute name CDATA #REQUIRED value CDATA #REQUIRED>',
  '<!ATTLIST device id CDATA #REQUIRED name CDATA #IMPLIED label CDATA #IMPLIED>',
  '<!ATTLIST channel id CDATA #REQUIRED type (input|output) #REQUIRED name CDATA #IMPLIED>',
  '<!ATTLIST scan-element index CDATA #REQUIRED format CDATA #REQUIRED scale CDATA #IMPLIED>',
  '<!ATTLIST attribute name CDATA #REQUIRED filename CDATA #IMPLIED>',
  '<!ATTLIST debug-attribute name CDATA #REQUIRED>',
  '<!ATTLIST buffer-attribute name CDATA #REQUIRED>',
];

/** The context as the server prints it: structure alone; values are read one by one. */
export function contextXml(context: IioContext, version: { major: number; minor: number; git: string }): string {
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    `<!DOCTYPE context [${ELEMENTS.join('')}]>`,
    `<context ${pairs({
      name: context.name,
      'version-major': String(version.major),
      'version-minor': String(version.minor),
      'version-git': version.git,
      description: context.description,
    })} >`,
    ...context.attributes.map(({ name, value }) => `<context-attribute ${pairs({ name, value })} />`),
    ...context.devices.map(deviceXml),
    '</context>',
  ].join('');
}

function deviceXml(device: Device): string {
  const plain = (element: string, attributes: readonly Attribute[]) =>
    attributes.map(({ name }) => `<${element} ${pairs({ name })} />`);
  return [
    `<device ${pairs({ id: device.id, name: device.name })} >`,
    ...device.channels.map(channelXml),
    ...plain('attribute', device.attributes),
    ...plain('buffer-attribute', device.buffer),
    ...plain('debug-attribute', device.debug),
    '</device>',
  ].join('');
}

function channelXml(channel: Channel): string {
  const head = pairs({
    id: channel.id,
    ...(channel.name && { name: channel.name }),
    type: channel.output ? 'output' : 'input',
  });
  return [
    `<channel ${head} >`,
    ...(channel.scan
      ? [`<scan-element ${pairs({ index: String(channel.scan.index), format: channel.scan.format })} />`]
      : []),
    ...channel.attributes.map(
      (attribute) =>
        `<attribute ${pairs({ name: attribute.name, filename: attributeFilename(channel, attribute) })} />`,
    ),
    '</channel>',
  ].join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function pairs(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${value.replace(/[&<>"']/g, (sign) => ESCAPES[sign])}"`)
    .join(' ');
}
