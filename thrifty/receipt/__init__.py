"""TODO receipt"""
