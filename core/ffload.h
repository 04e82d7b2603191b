/* ffload - FFmpeg's libraries, opened when the first clip, still or encoder asks for them.
 *
 * They bring some 130 shared objects with them, which scenes without clips never pay for. Files that
 * use FFmpeg include this header instead of FFmpeg's own and write its functions under their usual
 * names. Whoever makes FFmpeg's objects calls ff_open first; every other call works on such an object.
 * Threads: frozen once opened.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_FFLOAD_H
#define IN_FFLOAD_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/crc.h>
#include <libavutil/dict.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/mathematics.h>
#include <libavutil/opt.h>
#include <libavutil/parseutils.h>
#include <libavutil/pixdesc.h>

#include "err.h"

/* Every function used, by library. */
#define FF_AVUTIL(X) \
	X(av_buffer_create) X(av_channel_layout_copy) X(av_channel_layout_default) \
	X(av_channel_layout_describe) \
	X(av_chroma_location_name) X(av_color_primaries_name) X(av_color_range_name) X(av_color_space_name) \
	X(av_color_transfer_name) X(av_crc) X(av_crc_get_table) X(av_dict_free) X(av_dict_get) \
	X(av_dict_parse_string) X(av_dict_set) X(av_dict_set_int) X(av_frame_alloc) \
	X(av_frame_free) X(av_frame_get_buffer) X(av_frame_get_side_data) X(av_frame_unref) X(av_free) X(av_freep) X(av_gcd) \
	X(av_get_packed_sample_fmt) X(av_get_pix_fmt) X(av_get_pix_fmt_name) \
	X(av_image_get_buffer_size) X(av_log_format_line2) X(av_log_set_callback) \
	X(av_log_set_level) X(av_malloc) X(av_parse_ratio) X(av_pix_fmt_desc_get) \
	X(av_read_image_line2) X(av_rescale) X(av_rescale_q) X(av_rescale_rnd) \
	X(av_sample_fmt_is_planar) X(av_strerror) X(avutil_version)
#define FF_AVCODEC(X) \
	X(av_new_packet) X(av_packet_alloc) X(av_packet_free) X(av_packet_rescale_ts) \
	X(av_packet_unref) X(avcodec_alloc_context3) X(avcodec_descriptor_get) \
	X(avcodec_descriptor_get_by_name) X(avcodec_find_decoder) X(avcodec_find_encoder_by_name) \
	X(avcodec_free_context) X(avcodec_get_name) X(avcodec_open2) X(avcodec_parameters_alloc) \
	X(avcodec_parameters_copy) X(avcodec_parameters_free) X(avcodec_parameters_from_context) \
	X(avcodec_parameters_to_context) X(avcodec_receive_frame) X(avcodec_receive_packet) \
	X(avcodec_send_frame) X(avcodec_send_packet) X(avcodec_version)
#define FF_AVFORMAT(X) \
	X(av_find_best_stream) X(av_find_input_format) X(av_interleaved_write_frame) \
	X(av_probe_input_buffer2) X(av_read_frame) X(av_seek_frame) X(av_stream_get_side_data) X(av_stream_new_side_data) \
	X(av_write_trailer) X(avformat_alloc_context) X(avformat_alloc_output_context2) \
	X(avformat_close_input) X(avformat_find_stream_info) X(avformat_free_context) \
	X(avformat_index_get_entries_count) X(avformat_index_get_entry) X(avformat_new_stream) \
	X(avformat_open_input) X(avformat_version) X(avformat_write_header) X(avio_alloc_context) \
	X(avio_context_free) X(avio_flush)

struct ff_table {
#define FF_MEMBER(f) __typeof__(f) *f;
	FF_AVUTIL(FF_MEMBER)
	FF_AVCODEC(FF_MEMBER)
	FF_AVFORMAT(FF_MEMBER)
#undef FF_MEMBER
};

/* Opens the libraries, once. 0, or -1 with E_INPUT and the library that is missing. Threads: any. */
int ff_open(struct err *e);
/* The functions; only after ff_open has succeeded. */
extern struct ff_table ff;
/* Called once, right after opening. Before the first ff_open; NULL: nothing. */
void ff_on_open(void (*f)(void));

#ifndef FF_NO_NAMES
#define av_buffer_create (ff.av_buffer_create)
#define av_channel_layout_copy (ff.av_channel_layout_copy)
#define av_channel_layout_default (ff.av_channel_layout_default)
#define av_channel_layout_describe (ff.av_channel_layout_describe)
#define av_chroma_location_name (ff.av_chroma_location_name)
#define av_color_primaries_name (ff.av_color_primaries_name)
#define av_color_range_name (ff.av_color_range_name)
#define av_color_space_name (ff.av_color_space_name)
#define av_color_transfer_name (ff.av_color_transfer_name)
#define av_crc (ff.av_crc)
#define av_crc_get_table (ff.av_crc_get_table)
#define av_dict_free (ff.av_dict_free)
#define av_dict_get (ff.av_dict_get)
#define av_dict_parse_string (ff.av_dict_parse_string)
#define av_dict_set (ff.av_dict_set)
#define av_dict_set_int (ff.av_dict_set_int)
#define av_find_best_stream (ff.av_find_best_stream)
#define av_find_input_format (ff.av_find_input_format)
#define av_frame_alloc (ff.av_frame_alloc)
#define av_frame_free (ff.av_frame_free)
#define av_frame_get_buffer (ff.av_frame_get_buffer)
#define av_frame_get_side_data (ff.av_frame_get_side_data)
#define av_frame_unref (ff.av_frame_unref)
#define av_free (ff.av_free)
#define av_freep (ff.av_freep)
#define av_gcd (ff.av_gcd)
#define av_get_packed_sample_fmt (ff.av_get_packed_sample_fmt)
#define av_get_pix_fmt (ff.av_get_pix_fmt)
#define av_get_pix_fmt_name (ff.av_get_pix_fmt_name)
#define av_image_get_buffer_size (ff.av_image_get_buffer_size)
#define av_interleaved_write_frame (ff.av_interleaved_write_frame)
#define av_log_format_line2 (ff.av_log_format_line2)
#define av_log_set_callback (ff.av_log_set_callback)
#define av_log_set_level (ff.av_log_set_level)
#define av_malloc (ff.av_malloc)
#define av_new_packet (ff.av_new_packet)
#define av_packet_alloc (ff.av_packet_alloc)
#define av_packet_free (ff.av_packet_free)
#define av_packet_rescale_ts (ff.av_packet_rescale_ts)
#define av_packet_unref (ff.av_packet_unref)
#define av_parse_ratio (ff.av_parse_ratio)
#define av_pix_fmt_desc_get (ff.av_pix_fmt_desc_get)
#define av_probe_input_buffer2 (ff.av_probe_input_buffer2)
#define av_read_frame (ff.av_read_frame)
#define av_read_image_line2 (ff.av_read_image_line2)
#define av_rescale (ff.av_rescale)
#define av_rescale_q (ff.av_rescale_q)
#define av_rescale_rnd (ff.av_rescale_rnd)
#define av_sample_fmt_is_planar (ff.av_sample_fmt_is_planar)
#define av_seek_frame (ff.av_seek_frame)
#define av_stream_get_side_data (ff.av_stream_get_side_data)
#define av_stream_new_side_data (ff.av_stream_new_side_data)
#define av_strerror (ff.av_strerror)
#define av_write_trailer (ff.av_write_trailer)
#define avcodec_alloc_context3 (ff.avcodec_alloc_context3)
#define avcodec_descriptor_get (ff.avcodec_descriptor_get)
#define avcodec_descriptor_get_by_name (ff.avcodec_descriptor_get_by_name)
#define avcodec_find_decoder (ff.avcodec_find_decoder)
#define avcodec_find_encoder_by_name (ff.avcodec_find_encoder_by_name)
#define avcodec_free_context (ff.avcodec_free_context)
#define avcodec_get_name (ff.avcodec_get_name)
#define avcodec_open2 (ff.avcodec_open2)
#define avcodec_parameters_alloc (ff.avcodec_parameters_alloc)
#define avcodec_parameters_copy (ff.avcodec_parameters_copy)
#define avcodec_parameters_free (ff.avcodec_parameters_free)
#define avcodec_parameters_from_context (ff.avcodec_parameters_from_context)
#define avcodec_parameters_to_context (ff.avcodec_parameters_to_context)
#define avcodec_receive_frame (ff.avcodec_receive_frame)
#define avcodec_receive_packet (ff.avcodec_receive_packet)
#define avcodec_send_frame (ff.avcodec_send_frame)
#define avcodec_send_packet (ff.avcodec_send_packet)
#define avcodec_version (ff.avcodec_version)
#define avformat_alloc_context (ff.avformat_alloc_context)
#define avformat_alloc_output_context2 (ff.avformat_alloc_output_context2)
#define avformat_close_input (ff.avformat_close_input)
#define avformat_find_stream_info (ff.avformat_find_stream_info)
#define avformat_free_context (ff.avformat_free_context)
#define avformat_index_get_entries_count (ff.avformat_index_get_entries_count)
#define avformat_index_get_entry (ff.avformat_index_get_entry)
#define avformat_new_stream (ff.avformat_new_stream)
#define avformat_open_input (ff.avformat_open_input)
#define avformat_version (ff.avformat_version)
#define avformat_write_header (ff.avformat_write_header)
#define avio_alloc_context (ff.avio_alloc_context)
#define avio_context_free (ff.avio_context_free)
#define avio_flush (ff.avio_flush)
#define avutil_version (ff.avutil_version)
#endif

#endif
