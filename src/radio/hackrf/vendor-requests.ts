/**
 * The vendor requests of HackRF boards: number, direction, and the USB API version (bcdDevice) that brought each. Source: libhackrf,
 * `hackrf_vendor_request` and the USB_API_REQUIRED of each function (greatscottgadgets/hackrf 8dbb3475, 2026-06-26).
 */
export interface VendorRequest {
  readonly number: number;
  /** both: TEST_RTC_OSC, whose third step reads. */
  readonly direction: 'in' | 'out' | 'both';
  /** Lowest USB API version, BCD as in bcdDevice; 0 = every board has it. */
  readonly sinceApi: number;
}

const request = (number: number, direction: VendorRequest['direction'], sinceApi = 0): VendorRequest => ({
  number,
  direction,
  sinceApi,
});

export const VENDOR_REQUESTS = {
  SET_TRANSCEIVER_MODE: request(1, 'out'),
  MAX283X_WRITE: request(2, 'out'),
  MAX283X_READ: request(3, 'in'),
  SI5351C_WRITE: request(4, 'out'),
  SI5351C_READ: request(5, 'in'),
  SAMPLE_RATE_SET: request(6, 'out'),
  BASEBAND_FILTER_BANDWIDTH_SET: request(7, 'out'),
  RFFC5071_WRITE: request(8, 'out'),
  RFFC5071_READ: request(9, 'in'),
  SPIFLASH_ERASE: request(10, 'out'),
  SPIFLASH_WRITE: request(11, 'out'),
  SPIFLASH_READ: request(12, 'in'),
  BOARD_ID_READ: request(14, 'in'),
  VERSION_STRING_READ: request(15, 'in'),
  SET_FREQ: request(16, 'out'),
  AMP_ENABLE: request(17, 'out'),
  BOARD_PARTID_SERIALNO_READ: request(18, 'in'),
  SET_LNA_GAIN: request(19, 'in'),
  SET_VGA_GAIN: request(20, 'in'),
  SET_TXVGA_GAIN: request(21, 'in'),
  ANTENNA_ENABLE: request(23, 'out'),
  SET_FREQ_EXPLICIT: request(24, 'out'),
  USB_WCID_VENDOR_REQ: request(25, 'in'),
  INIT_SWEEP: request(26, 'out', 0x0102),
  OPERACAKE_GET_BOARDS: request(27, 'in', 0x0105),
  OPERACAKE_SET_PORTS: request(28, 'out', 0x0102),
  SET_HW_SYNC_MODE: request(29, 'out', 0x0102),
  RESET: request(30, 'out', 0x0102),
  OPERACAKE_SET_RANGES: request(31, 'out', 0x0103),
  CLKOUT_ENABLE: request(32, 'out', 0x0103),
  SPIFLASH_STATUS: request(33, 'in', 0x0103),
  SPIFLASH_CLEAR_STATUS: request(34, 'out', 0x0103),
  OPERACAKE_GPIO_TEST: request(35, 'in', 0x0103),
  CPLD_CHECKSUM: request(36, 'in', 0x0103),
  UI_ENABLE: request(37, 'out', 0x0104),
  OPERACAKE_SET_MODE: request(38, 'out', 0x0105),
  OPERACAKE_GET_MODE: request(39, 'in', 0x0105),
  OPERACAKE_SET_DWELL_TIMES: request(40, 'out', 0x0105),
  GET_M0_STATE: request(41, 'in', 0x0106),
  SET_TX_UNDERRUN_LIMIT: request(42, 'out', 0x0106),
  SET_RX_OVERRUN_LIMIT: request(43, 'out', 0x0106),
  GET_CLKIN_STATUS: request(44, 'in', 0x0106),
  BOARD_REV_READ: request(45, 'in', 0x0106),
  SUPPORTED_PLATFORM_READ: request(46, 'in', 0x0106),
  SET_LEDS: request(47, 'out', 0x0107),
  SET_USER_BIAS_T_OPTS: request(48, 'out', 0x0108),
  FPGA_WRITE_REG: request(49, 'out', 0x0109),
  FPGA_READ_REG: request(50, 'in', 0x0109),
  P2_CTRL: request(51, 'out', 0x0109),
  P1_CTRL: request(52, 'out', 0x0109),
  SET_NARROWBAND_FILTER: request(53, 'out', 0x0109),
  SET_FPGA_BITSTREAM: request(54, 'out', 0x0109),
  CLKIN_CTRL: request(55, 'out', 0x0109),
  READ_SELFTEST: request(56, 'in', 0x0109),
  READ_ADC: request(57, 'in', 0x0109),
  TEST_RTC_OSC: request(58, 'both', 0x0109),
  RADIO_WRITE_REG: request(59, 'out', 0x0111),
  RADIO_READ_REG: request(60, 'in', 0x0111),
  GET_BUFFER_SIZE: request(61, 'in', 0x0112),
} as const satisfies Readonly<Record<string, VendorRequest>>;

export type RequestName = keyof typeof VENDOR_REQUESTS;

/** "1.06" for 0x0106. */
export function apiText(bcd: number): string {
  return `${(bcd >> 8).toString(16)}.${(bcd & 0xff).toString(16).padStart(2, '0')}`;
}
